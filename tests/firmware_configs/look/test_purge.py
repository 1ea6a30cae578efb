import pytest

from firmware_configs.look.purge import Rule, classes_of, parse, purge


@pytest.mark.parametrize(
    ("template", "classes"),
    [
        ('<p class="a b">', {"a", "b"}),
        ("<p class='a'>", {"a"}),
        ('<p class="a{% if x %} b{% endif %}">', {"a", "b"}),
        ("""<p class="{{ "a" if x else 'b' }} c">""", {"a", "b", "c"}),
        ("""<p class="{{ 'a' if x else 'b' }} c">""", {"a", "b", "c"}),
        ('<p class="btn btn-{{ kind }}">', {"btn"}),
        ('{{ ui.form(class="row") }}', {"row"}),
        ("<p data-class-name='x'>", set()),
    ],
    ids=[
        "plain",
        "single quotes",
        "condition",
        "quotes in quotes",
        "literals",
        "composed",
        "argument",
        "not one",
    ],
)
def test_classes_are_found_where_templates_name_them(template: str, classes: set[str]) -> None:
    assert classes_of(template) == classes


def test_a_rule_stays_when_all_its_classes_are_used() -> None:
    css = ".a{color:red}.b{color:red}.a .b{color:red}p,.b{color:red}@media (x){.a{top:0}.b{top:0}}"
    assert purge(css, {"a"}) == ".a{color:red}p{color:red}@media (x){.a{top:0}}"


def test_a_variable_stays_when_something_that_stays_reads_it() -> None:
    css = ":root{--one:1px;--two:var(--one);--three:3px}.a{top:var(--two)}.b{top:var(--three)}"
    assert purge(css, {"a"}) == ":root{--one:1px;--two:var(--one);}.a{top:var(--two)}"


def test_a_variable_that_our_own_styles_read_stays() -> None:
    assert purge(":root{--one:1px}", set(), also=".x{top:var(--one)}") == ":root{--one:1px}"


def test_commas_in_parentheses_part_no_selectors() -> None:
    assert purge(".a:not(.b,.c){top:0}", {"a", "b", "c"}) == ".a:not(.b,.c){top:0}"
    assert purge(".a:not(.b,.c){top:0}", {"a", "b"}) == ""


def test_a_style_sheet_is_parsed_whole() -> None:
    css = """
        @charset "UTF-8"; /* c } */ .a , .b { top: 0 ; }
        @media (w) { .a { left: 0 } } @keyframes k { to { top: 1px } }
    """
    assert parse(css) == (
        Rule(".a,.b", "top:0"),
        Rule("@media (w)", "", (Rule(".a", "left:0"),)),
        Rule("@keyframes k", "to{top:1px}"),
    )


def test_a_brace_that_is_never_closed_is_named() -> None:
    with pytest.raises(ValueError, match=r"never closed: \.broken"):
        parse(".broken { top: 0")
