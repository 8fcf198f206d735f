/** The one place that imports zod; nothing of the hot path may import this file except as a type. */
export { z } from "zod";
