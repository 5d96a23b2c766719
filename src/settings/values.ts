import { z } from 'zod';
import { nameProblem } from './names.ts';

/** A text about which there is nothing to complain. */
export const sound = (problemOf: (text: string) => string | undefined) =>
  z.string().superRefine((value, context) => {
    const problem = problemOf(value);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });

export const name = sound(nameProblem);

export const names = z
  .string()
  .transform((value) =>
    value
      .split(',')
      .map((each) => each.trim())
      .filter(Boolean),
  )
  .pipe(z.array(name));

export const port = z
  .string()
  .regex(/^\d{1,5}$/, 'is not a port number')
  .transform(Number)
  .refine((value) => value >= 1 && value <= 65535, 'is not between 1 and 65535');

/** What a text stands for, or the reason that it stands for nothing. */
export const meaning = <T extends object>(find: (text: string) => T | string) =>
  z.string().transform((value, context) => {
    const found = find(value);
    if (typeof found !== 'string') return found;
    context.addIssue({ code: 'custom', message: found });
    return z.NEVER;
  });

/** `name[:port]/path:tag` or `…@sha256:…`, the grammar of github.com/distribution/reference. */
const REFERENCE =
  /^(?:[a-z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::(?<tag>\w[\w.-]{0,127}))?(?:@sha256:(?<digest>[0-9a-f]{64}))?$/;

export const image = z.string().superRefine((value, context) => {
  const parts = REFERENCE.exec(value)?.groups;
  const complain = (message: string) => context.addIssue({ code: 'custom', message });
  if (parts === undefined) complain('is not an image reference like registry:2.8.3');
  else if (parts.digest === undefined && parts.tag === undefined) complain('has no tag; pin an exact one');
  else if (parts.tag === 'latest')
    complain('is pinned to nothing by `latest`; give an exact tag or a digest');
});

/** Compose and the shell would both have their own ideas about these. */
const plain = z
  .string()
  .refine((value) => !/["'$`\\\n\r\0]/.test(value), 'has a quote, a backslash, a $ or a line break in it');

export const path = plain.refine(
  (value) => value.startsWith('/') || value.startsWith('./'),
  'must begin with / or ./',
);

/** Compose mounts it under the same path, so that links lead where they do outside. */
export const absolutePath = plain.refine((value) => value.startsWith('/'), 'is not an absolute path');

export const seconds = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'is not a number of seconds')
    .transform(Number)
    .refine((value) => value >= least && value <= most, `is not between ${least} and ${most} seconds`);

/** What Compose and dotenv read alike in `.env`, and HTTP carries. */
export const login = plain
  .regex(/^[\x21-\x7e]+$/, 'has a blank in it, or more than ASCII')
  .refine((value) => !value.includes('#'), 'has a # in it');

export const base64url = z.string().regex(/^[A-Za-z0-9_-]+={0,2}$/, 'is not base64url');

export const yesOrNo = z
  .enum(['true', 'false'], { error: 'must be true or false' })
  .transform((value) => value === 'true');
