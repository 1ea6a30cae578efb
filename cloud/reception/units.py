"""What a price is the price of, and what sort of thing the catalogue offers."""

from enum import StrEnum


class PriceUnit(StrEnum):
    """What a price is paid for one of."""

    M2_MONTH = "m2_month"
    MONTH = "month"
    SPACE_MONTH = "space_month"  # a parking space
    VISIT = "visit"
    HOUR = "hour"
    PIECE = "piece"
    M2 = "m2"
    M3 = "m3"
    KWH = "kwh"


class ServiceKind(StrEnum):
    """Why somebody pays."""

    FEE = "fee"  # a fee standard: everybody pays it
    SERVICE = "service"  # whoever asks for it pays it
