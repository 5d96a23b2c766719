/** The one place that reads the process's environment. Everything else is given what it needs. */
export function environment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}
