"""How Gatehouse looks: one source of tokens, parts, macros, icons, scripts and words for both programs' pages."""
