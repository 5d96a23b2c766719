import { realpath } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { messageOf, type Problem, systemCode } from '../errors.ts';

export interface ProvidedFiles {
  /** Absolute path of the PEM chain, leaf first. */
  readonly certificate: string;
  /** Absolute path of the key, PEM. */
  readonly key: string;
}

/**
 * The folder that has both files, and what they lead to when they are links. The renewer is given it as a whole: a
 * file that is replaced by a rename would stay the old one in a mount of the file alone.
 */
export async function providedFolder({ certificate, key }: ProvidedFiles): Promise<string> {
  const places = [certificate, key, await realpath(certificate), await realpath(key)].map((path) =>
    dirname(path).split(sep),
  );
  const [first = []] = places;
  const shared = first.findIndex((part, index) => places.some((each) => each[index] !== part));
  return first.slice(0, shared === -1 ? undefined : shared).join(sep) || sep;
}

/** What is wrong with the two files as a place, if anything. */
export async function providedProblems(files: ProvidedFiles): Promise<Problem[]> {
  for (const [input, path] of [
    ['TLS_CERT_FILE', files.certificate],
    ['TLS_KEY_FILE', files.key],
  ] as const) {
    try {
      await realpath(path);
    } catch (error) {
      const why =
        systemCode(error) === 'ENOENT' ? 'does not exist' : `can't be looked at: ${messageOf(error)}`;
      return [{ input, message: `"${path}" ${why}` }];
    }
  }
  if ((await providedFolder(files)) !== sep) return [];
  return [
    {
      input: 'TLS_KEY_FILE',
      message: 'and TLS_CERT_FILE have no folder in common but /; put both under one',
    },
  ];
}
