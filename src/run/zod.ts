/**
 * The one place that imports zod; nothing on the way to a running task may import this file except as a type. It is zod's functional
 * form, the smaller part of the package.
 */
export * as z from "zod/mini";
