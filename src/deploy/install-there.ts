import { z } from 'zod';
import { counted } from '../counted.ts';
import { Failure } from '../errors.ts';
import type { RemoteHost } from '../remote/host.ts';
import { Secret } from '../secret.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import type { Clock } from '../system/clock.ts';
import type { Finished } from '../system/processes.ts';
import { runThere } from './run-there.ts';

/** What init-tls tells of itself with `--json`. */
const outcome = z.object({
  url: z.string(),
  changed: z.boolean(),
  firstUser: z.object({ name: z.string(), password: z.string() }).optional(),
  certificate: z.object({ issuerName: z.string(), notAfter: z.string(), issuer: z.string() }).nullable(),
  authority: z.string().nullable(),
  steps: z.array(
    z.object({ title: z.string(), summary: z.string(), changed: z.boolean(), seconds: z.number() }),
  ),
});

const refusal = z.object({
  error: z.union([
    z.object({
      code: z.literal('wrong-input'),
      problems: z.array(z.object({ input: z.string(), message: z.string() })),
    }),
    z.object({ code: z.string(), message: z.string(), remedy: z.string().optional() }),
  ]),
});

/** A registry that runs, as its own machine describes it. */
export interface Installed extends Omit<z.infer<typeof outcome>, 'firstUser'> {
  /** Whose password nobody has seen yet; see `forgetThere`. */
  readonly firstUser: { readonly name: string; readonly password: Secret } | undefined;
}

/** Milliseconds. A run whose connection was cut goes on; a first one takes minutes where images are built. */
const PATIENCE = 20 * 60_000;
const ASK_AGAIN = 2_000;
/** A step of a story on a terminal that is none: done, unchanged, failed, under way. */
const STORY_LINE = /^[✓=✗·] /;

/**
 * Runs init-tls in the far checkout. The first user's password stays there, and comes with every run, until
 * `forgetThere`: a connection that is cut before it was shown does not lose it.
 * @param tell gets each line of its story as it comes
 * @throws Failure with the code, message and remedy that init-tls there has
 */
export async function installThere(
  host: RemoteHost,
  folder: string,
  clock: Clock,
  { report, tell }: { report: Report; tell: (line: string) => void },
): Promise<Done<Installed>> {
  const deadline = clock.now().getTime() + PATIENCE;
  const onLine = (line: string) => {
    if (!STORY_LINE.test(line)) return;
    report(line.slice(2));
    if (!line.startsWith('·')) tell(line);
  };
  for (;;) {
    const finished = await runThere(host, folder, 'init-tls', ['--yes', '--json', '--keep-password'], {
      onLine,
    });
    if (finished.exitCode === 0) return inOneLine(understood(host, finished));
    const failure = failureOf(host, finished);
    if (failure.code !== 'locked' || clock.now().getTime() >= deadline) throw failure;
    report(`waiting: ${failure.message}`);
    await clock.sleep(ASK_AGAIN);
  }
}

/** The first user's password has been shown: from now on only its hash is known there. */
export async function forgetThere(host: RemoteHost, folder: string): Promise<void> {
  await host.run(['rm', '-f', '--', `${folder}/var/first-user.json`]);
}

function inOneLine(installed: Installed): Done<Installed> {
  const count = installed.steps.filter((step) => step.changed).length;
  return installed.changed
    ? changed(`${installed.url} serves; ${counted(count, 'step')} made changes`, installed)
    : unchanged(`${installed.url} serves; nothing changed`, installed);
}

function understood({ name }: RemoteHost, { stdout }: Finished): Installed {
  const { firstUser, ...rest } = outcome.parse(asJson(stdout), {
    error: () => `init-tls on ${name} tells of itself otherwise than expected`,
  });
  return {
    ...rest,
    firstUser: firstUser && { name: firstUser.name, password: new Secret(firstUser.password) },
  };
}

/** Wrong input is none any more here: by now the project has been copied, and its settings written. */
function failureOf({ name }: RemoteHost, { exitCode, stdout, stderr }: Finished): Failure {
  const told = refusal.safeParse(asJson(stdout)).data?.error;
  if (told !== undefined && 'problems' in told)
    return new Failure(
      told.code,
      told.problems.map(({ input, message }) => `init-tls on ${name}: ${input}: ${message}`).join('\n'),
      'Correct it there, or the settings that it gets from here; then run this again.',
    );
  const plain = stderr.split('\n').filter((line) => line.trim() !== '' && !STORY_LINE.test(line));
  return new Failure(
    told?.code ?? 'init-tls-failed',
    `init-tls on ${name}: ${told?.message ?? (plain.slice(-3).join('\n') || `it ended with ${exitCode}`)}`,
    told?.remedy === undefined ? 'Fix it there, then run this again.' : `There: ${told.remedy}`,
  );
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text.slice(text.indexOf('{')));
  } catch {
    return undefined;
  }
}
