import { removeTask } from "../../workspace/store.ts";
import { withTask } from "../kept-task.ts";
import { answer, answerJson } from "./answer.ts";
import { command } from "./command.ts";

/** `rauha discard TASK`: forgets a task's changes. Works on a damaged record too. */
export const discard = command((input) =>
  withTask(
    input,
    ({ fs, tasks, task }) => {
      removeTask(fs, tasks, task);
      if (input.json) return answerJson(input.ports, { schema: "rauha.discard/v1", task_id: task.id });
      return answer(input.ports, `forgot the changes of ${task.id}\n`);
    },
    true,
  ),
);
