"""All our routes: a file of routes is one line here, and nothing else has to know of it."""

from __future__ import annotations

from gan.inspection.service import Inspector
from gan.serving.renderer import Renderer
from gan.web.access import Access
from gan.web.diagnoses import Diagnoses
from gan.web.routes.answers import Table
from gan.web.routes.diagnosis import DiagnosisRoutes
from gan.web.routes.drawings import DrawingRoutes
from gan.web.routes.find import FindRoutes
from gan.web.routes.game import GameRoutes
from gan.web.routes.inspection import InspectionRoutes
from gan.web.routes.kept_uploads import KeptUploads
from gan.web.routes.lesson import LessonRoutes
from gan.web.routes.own_pictures import PreparedRoutes, SendingRoutes
from gan.web.routes.paths import PathRoutes
from gan.web.routes.pictures import PictureRoutes
from gan.web.routes.run_control import RunControl
from gan.web.routes.run_files import RunFiles
from gan.web.routes.runs import RunRoutes
from gan.web.routes.share import ShareRoutes
from gan.web.routes.start import StartRoutes
from gan.web.routes.static import StaticRoutes
from gan.web.routes.wall import WallRoutes


def all_tables(
    access: Access, renderer: Renderer, inspector: Inspector, addresses: tuple[str, ...] = ()
) -> list[Table]:
    """What the page asks for. addresses: where others in the network find it."""
    runs = access.runs
    parts = (
        PictureRoutes(renderer, runs),
        DrawingRoutes(renderer),
        FindRoutes(renderer),
        ShareRoutes(renderer, runs),
        PathRoutes(renderer),
        InspectionRoutes(inspector, access),
    )
    return [*run_tables(access, addresses), *(part.table() for part in parts)]


def run_tables(access: Access, addresses: tuple[str, ...] = (), kept: KeptUploads | None = None) -> list[Table]:
    """What is asked of runs and of own pictures. kept: files that make room on the disk for what is sent."""
    kept, diagnoses = kept or KeptUploads(), Diagnoses()
    parts = (
        StaticRoutes(),
        StartRoutes(access, addresses),
        RunRoutes(access),
        RunControl(access),
        RunFiles(access, kept),
        DiagnosisRoutes(access.runs, diagnoses),
        WallRoutes(access, diagnoses),
        LessonRoutes(access),
        GameRoutes(access),
        SendingRoutes(access, kept),
        PreparedRoutes(access, kept),
    )
    return [part.table() for part in parts]
