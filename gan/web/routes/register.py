"""All our routes: a file of routes is one line here, and nothing else has to know of it."""

from __future__ import annotations

from gan.web.access import Access
from gan.web.routes.answers import Table
from gan.web.routes.diagnosis import DiagnosisRoutes
from gan.web.routes.kept_uploads import KeptUploads
from gan.web.routes.own_pictures import PreparedRoutes, SendingRoutes
from gan.web.routes.run_control import RunControl
from gan.web.routes.run_files import RunFiles
from gan.web.routes.runs import RunRoutes
from gan.web.routes.start import StartRoutes
from gan.web.routes.static import StaticRoutes


def run_tables(access: Access, addresses: tuple[str, ...] = (), kept: KeptUploads | None = None) -> list[Table]:
    """What is asked of runs and of own pictures. kept: files that make room on the disk for what is sent."""
    kept = kept or KeptUploads()
    parts = (
        StaticRoutes(),
        StartRoutes(access, addresses),
        RunRoutes(access),
        RunControl(access),
        RunFiles(access, kept),
        DiagnosisRoutes(access.runs),
        SendingRoutes(access, kept),
        PreparedRoutes(access, kept),
    )
    return [part.table() for part in parts]
