import type { Holdings } from '../engine/holdings.ts';
import { Failure } from '../errors.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import type { Action, Staying } from './action.ts';
import { quoted } from './kept.ts';
import { folded, nameOf } from './names.ts';
import type { Left } from './remove-tree.ts';

type Kind = Action['kind'];
type Of<K extends Kind> = Extract<Action, { kind: K }>;
type FileAction = Of<'data' | 'users' | 'state' | 'settings'>;

/** What takes things away. */
export interface Hands {
  readonly holdings: Holdings;
  readonly removeUnit: (name: string) => Promise<void>;
  /** Takes away what was made for a purpose. The paths that stay because somebody has changed them. */
  readonly removeMade: (purpose: string, report: Report) => Promise<readonly string[]>;
  /** @returns what of it stayed */
  readonly removeFiles: (action: FileAction) => Promise<readonly Left[]>;
}

export interface Outcome {
  readonly removed: readonly Action[];
  readonly kept: readonly Staying[];
  readonly remains: readonly Staying[];
}

/** Tells a step while it is done. */
export type Tell = (title: string, work: (report: Report) => Promise<Done<Outcome>>) => Promise<Outcome>;

/** In the order of a plan. */
export const TITLES: Readonly<Record<Kind, string>> = {
  unit: 'Unit',
  container: 'Containers',
  network: 'Networks',
  volume: 'Volumes',
  made: 'This machine',
  data: 'Images data',
  users: 'Users',
  state: 'State',
  image: 'Images',
  settings: 'Settings',
};
const KINDS: readonly Kind[] = [
  ...(['unit', 'container', 'network', 'volume', 'made'] as const),
  ...(['data', 'users', 'state', 'image', 'settings'] as const),
];
/** They write; and what they write must not go before them. */
const WRITERS: readonly Kind[] = ['unit', 'container'];
const FILES: readonly Kind[] = ['data', 'users', 'state', 'settings'];

/** Removes what is planned. What can't be removed is handed back, and the rest goes on as far as it harms nobody. */
export async function carryOut(actions: readonly Action[], hands: Hands, tell: Tell): Promise<Outcome> {
  let all: Outcome = { removed: [], kept: [], remains: [] };
  let writing = false;
  for (const kind of KINDS) {
    const group = actions.filter((each) => each.kind === kind);
    if (group.length === 0) continue;
    // .env names what is left: the next run needs it.
    const held = FILES.includes(kind) && (writing || (kind === 'settings' && all.remains.length > 0));
    const outcome = held
      ? { removed: [], kept: [], remains: group.map(({ name }) => notYet(name, writing)) }
      : await tell(TITLES[kind], (report) => removeGroup(kind, group, hands, report));
    if (WRITERS.includes(kind) && outcome.remains.length > 0) writing = true;
    all = joined([all, outcome]);
  }
  return all;
}

async function removeGroup(
  kind: Kind,
  group: readonly Action[],
  hands: Hands,
  report: Report,
): Promise<Done<Outcome>> {
  const outcomes: Outcome[] = [];
  if (kind === 'container')
    outcomes.push(...(await Promise.all(group.map((each) => remove(each, hands, report)))));
  else if (kind === 'made') outcomes.push(...(await removeMade(group, hands, report)));
  else for (const each of group) outcomes.push(await remove(each, hands, report));
  const outcome = joined(outcomes);
  const names = folded(outcome.removed.map(nameOf));
  const stayed = [...outcome.kept, ...outcome.remains].map(({ what }) => `${what} stays`);
  const words = [names.length === 0 ? '' : `${names.join(', ')} removed`, ...stayed]
    .filter(Boolean)
    .join('; ');
  return names.length === 0 ? unchanged(words, outcome) : changed(words, outcome);
}

async function remove(action: Action, hands: Hands, report: Report): Promise<Outcome> {
  report(action.name);
  try {
    return await attempt(action, hands);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return remaining({ what: action.name, why: error.message, command: error.remedy });
  }
}

async function attempt(action: Action, hands: Hands): Promise<Outcome> {
  const { holdings } = hands;
  switch (action.kind) {
    case 'unit':
      await hands.removeUnit(action.name);
      return gone(action);
    case 'container':
      await holdings.removeContainer(action.id);
      return gone(action);
    case 'network': {
      const why = 'a container of somebody else is in it; the next run removes it without one';
      return (await holdings.removeNetwork(action.id)) ? gone(action) : remaining({ what: action.name, why });
    }
    case 'volume': {
      const why = 'a container of somebody else has it; the next run removes it without one';
      return (await holdings.removeVolume(action.name))
        ? gone(action)
        : remaining({ what: action.name, why });
    }
    case 'image': {
      const kept = { what: action.name, why: 'something else came to need it' };
      return (await holdings.removeImage(action.name))
        ? gone(action)
        : { removed: [], kept: [kept], remains: [] };
    }
    case 'made':
      throw new Error('these go by purpose');
    default:
      return ofFiles(action, await hands.removeFiles(action));
  }
}

function ofFiles(action: FileAction, left: readonly Left[]): Outcome {
  if (left.length === 0) return gone(action);
  const own = left.filter(({ because }) => because === 'kept').map(({ path }) => path);
  const kept = own.map((what) => ({ what, why: 'your own, or still needed' }));
  const mounted = left.filter(({ because }) => because === 'mounted');
  const denied = left.some(({ because }) => because === 'denied');
  const remains = [
    ...mounted.map(({ path }) => ({ what: path, why: 'a disk is mounted there, and nobody went into it' })),
    ...(denied
      ? [
          {
            what: action.name,
            why: 'what is in it belongs to somebody else',
            command: `sudo rm -rf ${quoted(action.name)}`,
          },
        ]
      : []),
  ];
  return { removed: remains.length === 0 ? [action] : [], kept, remains };
}

async function removeMade(group: readonly Action[], hands: Hands, report: Report): Promise<Outcome[]> {
  const things = group.filter((each) => each.kind === 'made');
  const purposes = [...new Set(things.map(({ purpose }) => whole(purpose)))];
  const outcomes: Outcome[] = [];
  for (const purpose of purposes) {
    const made = things.filter((each) => whole(each.purpose) === purpose);
    try {
      const changedSince = await hands.removeMade(purpose, report);
      outcomes.push({
        removed: made.filter(({ name }) => !changedSince.includes(name)),
        kept: changedSince.map((what) => ({ what, why: 'somebody has changed it since' })),
        remains: [],
      });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const why = error.message;
      outcomes.push(joined(made.map(({ name }) => remaining({ what: name, why, command: error.remedy }))));
    }
  }
  return outcomes;
}

/** `trust/NAME` is a part of `trust`. */
function whole(purpose: string): string {
  return purpose.split('/')[0] ?? purpose;
}

function joined(outcomes: readonly Outcome[]): Outcome {
  return {
    removed: outcomes.flatMap(({ removed }) => removed),
    kept: outcomes.flatMap(({ kept }) => kept),
    remains: outcomes.flatMap(({ remains }) => remains),
  };
}

function gone(action: Action): Outcome {
  return { removed: [action], kept: [], remains: [] };
}

function remaining(one: Staying): Outcome {
  return { removed: [], kept: [], remains: [one] };
}

function notYet(what: string, writing: boolean): Staying {
  return { what, why: writing ? 'something that writes there still runs' : 'it names what remains' };
}
