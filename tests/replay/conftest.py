from tests.replay.databases import addresses

__all__ = ["addresses"]
