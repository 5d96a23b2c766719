/** Leaves out a line that says the same as the one before: who looks every ten seconds would fill a disk with it. */
export function sparingly(log: (line: string) => void): (line: string) => void {
  let last: string | undefined;
  return (line) => {
    if (line !== last) log(line);
    last = line;
  };
}
