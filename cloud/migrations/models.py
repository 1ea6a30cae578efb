"""All tables of the business database in one place, for whoever must see them together."""

from cloud.accounts import tables as accounts
from cloud.alarms import tables as alarms
from cloud.calendars import shift_tables as shifts
from cloud.calendars import tables as calendars
from cloud.core import audit, files, jobs, outbox
from cloud.core.database import Base
from cloud.fleet import tables as fleet
from cloud.notifications import tables as notifications
from cloud.properties import tables as properties
from cloud.tickets import tables as tickets

MODULES = (accounts, alarms, audit, calendars, files, fleet, jobs, notifications, outbox, properties, shifts, tickets)
"""Importing them is what fills METADATA; a new slice adds its own."""

METADATA = Base.metadata
