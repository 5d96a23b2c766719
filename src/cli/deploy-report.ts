import type { Foreseen } from '../app/deploy/check.ts';
import type { Deployed } from '../app/deploy/deploy.ts';
import { day } from '../certificates/words.ts';
import { counted } from '../counted.ts';
import type { Installed } from '../deploy/install-there.ts';
import type { Order } from '../deploy/order.ts';
import { Failure, messageOf, WrongInput } from '../errors.ts';
import { destinationAsArguments, destinationInWords } from '../remote/destination.ts';
import type { Outcome } from './deploy-crew.ts';
import type { StepRecord } from './story.ts';
import type { Terminal } from './terminal.ts';

/** What a command has to tell of a machine: nothing, where it was only taken off. */
export type Told = Deployed | Foreseen | undefined;

/** The last screen: all about a machine that is alone; of several only the users that are new, each with its password. */
export function tellDeployed(
  terminal: Terminal,
  outcomes: readonly Outcome<Deployed>[],
  alone: boolean,
): void {
  const done = outcomes.flatMap((each) => (each.kind === 'done' ? [each] : []));
  const rows = alone
    ? done.flatMap(({ order, value }) => allAbout(terminal, order, value.installed))
    : done
        .filter(({ value }) => value.installed.firstUser !== undefined)
        .map(({ order, value }) => [order.target.name, userLine(value.installed, order)] as const);
  if (rows.length === 0) return;
  terminal.line();
  terminal.table(rows);
}

function allAbout(
  terminal: Terminal,
  order: Order,
  installed: Installed,
): (readonly [title: string, text: string])[] {
  const { url, changed, certificate, authority } = installed;
  const registry = new URL(url).host;
  const title = terminal.style('bold', url);
  return [
    ['Registry', changed ? title : `${title}  (nothing changed)`],
    ['User', userLine(installed, order)],
    ...(certificate === null ? [] : [['Certificate', certificateLine(certificate)] as const]),
    ...(authority === null
      ? []
      : [
          [
            'Trust',
            `on each client: npm run trust -- ${registry}; without this project: docs/trust.md`,
          ] as const,
        ]),
    ['Push', `docker login ${registry}; then docker push ${registry}/IMAGE`],
    [
      'Next',
      `ssh ${destinationAsArguments(order.target.destination)}, then in ${order.folder}: ${npmRun(order)} status`,
    ],
  ];
}

function certificateLine({ issuerName, notAfter }: NonNullable<Installed['certificate']>): string {
  return `${issuerName}, until ${day(new Date(notAfter))}`;
}

/**
 * Where something failed the exit code is 1, and a person reads why in the end, too.
 * @throws Failure of a machine that was alone, or `deploy-failed`
 */
export function expectAllDone(
  terminal: Terminal,
  outcomes: readonly Outcome<Told>[],
  { json }: { readonly json: boolean },
): void {
  const errors = outcomes.flatMap((each) => {
    const error = failureOf(each);
    return error === undefined ? [] : [{ name: each.order.target.name, error }];
  });
  const [first] = errors;
  if (first === undefined) return;
  const failure = outcomes.length === 1 ? first.error : several(errors, outcomes.length);
  if (!json) {
    terminal.line();
    throw failure;
  }
  process.exitCode = failure instanceof WrongInput ? 2 : 1; // the result is on standard output already
  terminal.paragraph(messageOf(failure));
}

function several(errors: readonly { name: string; error: unknown }[], all: number): Failure {
  const lines = errors.map(({ name, error }) => `${name}: ${messageOf(error)}`);
  const remedies = errors.flatMap(({ name, error }) =>
    error instanceof Failure ? [`${name}: ${error.remedy}`] : [],
  );
  return new Failure(
    'deploy-failed',
    `${errors.length} of ${all} machines failed:\n${lines.join('\n')}`,
    [...remedies, 'Then run the same command again: where it succeeded it changes nothing.'].join('\n'),
  );
}

function failureOf(outcome: Outcome<Told>): unknown {
  if (outcome.kind === 'failed') return outcome.error;
  return outcome.value !== undefined && 'failure' in outcome.value ? outcome.value.failure : undefined;
}

export function lastWord({ installed, failure }: Deployed): string {
  if (failure !== undefined) return `${installed.url} runs, but ${failure.message.split('\n')[0]}`;
  return installed.changed ? installed.url : `${installed.url}  (nothing changed)`;
}

export function foreseenInWords({ programs, files, settings, changes }: Foreseen): string {
  if (!changes) return 'nothing would change';
  const copied = files === undefined ? undefined : files.written.length + files.removed.length;
  const parts = [
    counted(programs.length, 'program'),
    copied === undefined ? 'all files' : counted(copied, 'file'),
    counted(settings.length, 'setting'),
  ].filter((part) => !part.startsWith('0 '));
  return parts.length === 0
    ? 'Docker’s trust, proxy or images would change'
    : `would change: ${parts.join(', ')}`;
}

function userLine({ firstUser }: Installed, order: Order): string {
  if (firstUser === undefined)
    return `as before; to list them, in ${order.folder} there: ${npmRun(order)} user -- list`;
  return `${firstUser.name}, password ${firstUser.password.reveal()}  (shown only now)`;
}

/** All of it belongs to root there. */
function npmRun({ target }: Order): string {
  return target.destination.user === 'root' ? 'npm run' : 'sudo npm run';
}

/** For programs: what came of each machine. */
export function deployAsJson(
  outcomes: readonly Outcome<Told>[],
  stepsOf: (order: Order) => readonly StepRecord[],
): string {
  const hosts = outcomes.map((outcome) => ({
    name: outcome.order.target.name,
    destination: destinationInWords(outcome.order.target.destination),
    folder: outcome.order.folder,
    ...resultOf(outcome),
    steps: stepsOf(outcome.order),
  }));
  return `${JSON.stringify({ hosts }, null, 2)}\n`;
}

function resultOf(outcome: Outcome<Told>) {
  if (outcome.kind === 'failed') return { done: false, error: errorOf(outcome.error) };
  const { value } = outcome;
  if (value === undefined) return { done: true };
  if (!('installed' in value)) return { done: true, would: value };
  const { installed, failure } = value;
  const { firstUser, ...rest } = installed;
  return {
    done: failure === undefined,
    ...(failure === undefined ? {} : { error: errorOf(failure) }),
    ...rest,
    firstUser: firstUser && { name: firstUser.name, password: firstUser.password.reveal() },
    stepsThere: rest.steps,
  };
}

function errorOf(error: unknown) {
  if (error instanceof WrongInput) return { code: 'wrong-input', problems: error.problems };
  return error instanceof Failure
    ? { code: error.code, message: error.message, remedy: error.remedy }
    : { code: 'defect', message: messageOf(error) };
}
