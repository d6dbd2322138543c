"""From a stranger's files to a data set: what is a picture, what is a class, what becomes of the rest, in one sentence.

`files` opens a zip (`zip_names`: which letters its names are in), a folder or single files, `layout` and `tables` find
splits and classes, `decode` turns one file into pixels, `preparation` does so with all of them and writes the result,
`summary` says what was understood (`look`: of the pixels) and `edit` changes the classes afterwards; `foreign` takes in
a prepared file from another server. Imports `gan.data.catalog.pictures` (the prepared file) and nothing above it.
"""

from gan.data.own_pictures.decode import FITS, USUAL_SIZES, Form, read_one, readable_suffixes
from gan.data.own_pictures.edit import SHOWN, edit_classes, preview, summary_of
from gan.data.own_pictures.files import MOST_FILES
from gan.data.own_pictures.foreign import take_in
from gan.data.own_pictures.layout import MOST_NAME
from gan.data.own_pictures.preparation import LEAST, MOST, Prepared, prepare, prepare_folder, prepare_zip
from gan.data.own_pictures.summary import Summary
from gan.data.own_pictures.tables import SIDECARS
from gan.data.pictures import content_name

__all__ = [
    "FITS", "LEAST", "MOST", "MOST_FILES", "MOST_NAME", "SHOWN", "SIDECARS", "USUAL_SIZES",
    "Form", "Prepared", "Summary",
    "content_name", "edit_classes", "prepare", "prepare_folder", "prepare_zip",
    "preview", "read_one", "readable_suffixes", "summary_of", "take_in",
]  # fmt: skip
