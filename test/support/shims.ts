import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

/** A folder for PATH with a program in it that runs the one behind it with more options. */
export async function makeShim(folder: string, program: string, options: string): Promise<{ PATH: string }> {
  const { stdout: real } = await execa('which', [program]);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, program), `#!/bin/sh\nexec ${real} ${options} "$@"\n`, { mode: 0o755 });
  return { PATH: `${folder}:${process.env.PATH}` };
}
