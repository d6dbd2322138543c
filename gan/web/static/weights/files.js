// Weights from disk.

import { limits } from "../core/boot.js";
import { sendWithNotice } from "../core/files/upload.js";
import { clearNotice, notify } from "../core/notice.js";
import { read, write } from "../core/storage.js";
import { t } from "../core/text.js";

const [FILES, MOST_NAMES] = ["files", 60]; // under this name the browser remembers: id of weights -> the file they came in

/** What the file was called that these weights were opened from in this browser, if they were. */
export const nameOfFile = (id) => read(FILES)[id];

/** Weights from disk; onOpened(id) when the server has checked and taken them. */
export async function openWeightsFile(file, onOpened) {
  try {
    const most = limits().weights_mb;
    if (file.size > most * 2 ** 20) throw new Error(t("latent.file_too_large", { most }));
    const { id } = await sendWithNotice("weights", file, t("latent.opening"));
    clearNotice("wait");
    const { [id]: _, ...others } = read(FILES);
    write(FILES, Object.fromEntries([...Object.entries(others), [id, file.name]].slice(-MOST_NAMES)));
    onOpened(id);
  } catch (error) {
    notify(error.message, error.cancelled ? "info" : "error");
  }
}
