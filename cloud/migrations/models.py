"""All tables of the business database in one place, for whoever must see them together."""

from cloud.accounts import codes as sign_in_codes
from cloud.accounts import tables as accounts
from cloud.accounts import views
from cloud.alarms import tables as alarms
from cloud.calendars import shift_tables as shifts
from cloud.calendars import tables as calendars
from cloud.core import audit, exports, files, jobs, once, outbox
from cloud.core.database import Base
from cloud.core.search import is_part_of_an_index
from cloud.feedback import tables as feedback
from cloud.fleet import tables as fleet
from cloud.notifications import tables as notifications
from cloud.properties import import_tables as imports
from cloud.properties import tables as properties
from cloud.properties import unit_codes
from cloud.reception import catalogue_tables as catalogue
from cloud.reception import mail_tables as mail
from cloud.reception import tables as reception
from cloud.repairs import maintenance_tables as maintenance
from cloud.repairs import stock_tables as stock
from cloud.repairs import tables as repairs
from cloud.tickets import attachments, learning, reports
from cloud.tickets import clock_tables as ticket_clocks
from cloud.tickets import dispatch_tables as dispatch
from cloud.tickets import tables as tickets

MODULES = (
    accounts,
    alarms,
    attachments,
    audit,
    calendars,
    catalogue,
    dispatch,
    exports,
    feedback,
    files,
    fleet,
    imports,
    jobs,
    learning,
    maintenance,
    mail,
    notifications,
    once,
    outbox,
    properties,
    reception,
    reports,
    repairs,
    shifts,
    sign_in_codes,
    stock,
    ticket_clocks,
    tickets,
    unit_codes,
    views,
)
"""Importing them is what fills METADATA; a new slice adds its own."""

METADATA = Base.metadata


def is_described(name: str | None, kind: str, _parents: object) -> bool:
    """Return whether a table or an index is one that METADATA knows of; search indexes look after themselves."""
    return kind not in {"table", "index"} or name is None or not is_part_of_an_index(name)
