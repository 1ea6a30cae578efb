"""The people who use Gatehouse, a package each."""
