import { InvalidArgumentError } from 'commander';
import { folderProblem } from '../deploy/inventory/variables.ts';

/** `--dir`: where a checkout is to be on another machine. For commander. */
export function readFolder(folder: string): string {
  const problem = folderProblem(folder);
  if (problem !== undefined) throw new InvalidArgumentError(`It ${problem}.`);
  return folder;
}
