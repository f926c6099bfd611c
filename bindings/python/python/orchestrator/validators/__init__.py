"""Not part of this package: importing it says what to use instead."""

from orchestrator._absent import refuse

raise refuse(__name__)
