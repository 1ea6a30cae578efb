"""A sound profile of each transport, for tests that break one thing in it, and what its refusal says."""

import pytest

from protocols.errors import ProfileRefused
from protocols.profiles.parsing import parse_profile

METER = """
maker: Acme
models: [M1, M2]
kind: meter-electricity
label: {zh: 电表, en: Meter}
source: Acme M1 manual 1.0, page 4

modbus:
  limits: {max_registers: 60}
  clock: {function: 3, address: 0, type: uint32}

defaults:
  period_s: 10
  modbus: {function: 3, type: uint32}

points:
  - name: energy_import
    label: {zh: 电能, en: Energy}
    unit: kW.h
    kind: counter
    class: register
    period_s: 60
    resolution: 0.01
    modbus: {address: 2, scale: "0.01"}
  - name: voltage
    label: {zh: 电压, en: Voltage}
    unit: V
    kind: gauge
    class: sample
    valid: [0, 300]
    alarms: {high: {limit: 250, deadband: 5, on_delay_s: 60, priority: medium}}
    modbus: {address: 4, type: float32}

example:
  constructed: true
  exchanges:
    - request: 01 03 00 00 00 06 C5 C8
      response: 01 03 0C 53 49 C5 F0 00 01 D8 6E 43 66 33 34 36 AC
  expected: {energy_import: 1209.42, voltage: 230.2}
  expected_time: "2014-04-12T23:02:08Z"
"""

LEAK = """
maker: Acme
models: [L1]
kind: leak
label: {zh: 水浸, en: Leak}
source: Acme L1 manual 1.0, page 2

mqtt:
  topic: acme/{device}

points:
  - name: leak
    label: {zh: 水浸, en: Leak}
    unit: "1"
    kind: state
    class: event
    period_s: 0
    states:
      0: {zh: 干燥, en: Dry}
      1: {zh: 漏水, en: Wet}
    alarms: {state: {state: 1, priority: high}}
    mqtt: {pointer: /leak, map: {ON: 1, OFF: 0}}

example:
  constructed: false
  device: cellar
  messages:
    - topic: acme/cellar
      payload: '{"leak":"ON"}'
  expected: {leak: 1}
"""


def refusal_of(text: str) -> tuple[str, ...]:
    with pytest.raises(ProfileRefused) as refusal:
        parse_profile(text, file="acme.yaml")
    assert refusal.value.file == "acme.yaml"
    assert str(refusal.value).startswith("acme.yaml: ")
    return refusal.value.problems
