// A lesson: the strip over the page, of its teacher or of a student, and the question what is new.

import { shell } from "../core/gradio_shell.js";
import { onLesson, takeLesson } from "../core/lesson.js";
import { everyVisible } from "../core/schedule.js";
import { getJSON } from "../core/server.js";
import { StudentStrip } from "./student.js";
import { TeacherStrip } from "./teacher.js";

const EVERY_MS = 2000;

export function open({ owner }) {
  const strip = owner ? new TeacherStrip() : new StudentStrip();
  shell().prepend(strip.element);
  onLesson((lesson) => strip.show(lesson));
  everyVisible(EVERY_MS, async () => takeLesson(await getJSON("lesson")));
}
