import type { Present } from '../engine/roll-call.ts';
import type { Settings } from '../settings/settings.ts';
import type { Part } from './compose.ts';

/** How a part of the stack is. */
export interface PartState {
  readonly name: string;
  readonly condition: Condition;
  /** Since when it has been running, or not running any more. */
  readonly since: Date | undefined;
  /** How often the engine has started it again by itself. */
  readonly restarts: number;
  /** With what it ended, where it does not run. */
  readonly exitCode: number | undefined;
}

/** `missing`: there is no container. `running`: it runs, and nothing says that it is not well. */
export type Condition =
  | 'running'
  | 'starting'
  | 'unhealthy'
  | 'restarting'
  | 'paused'
  | 'stopped'
  | 'missing';

/** As a request meets them, then those that look after it. */
const ALL: readonly Part[] = [
  'nginx',
  'gate',
  'registry',
  'redis',
  'mirror',
  'relay',
  'renewer',
  'exporter',
  'prometheus',
];

type Wishes = Pick<Settings, 'auth' | 'mirror' | 'cache' | 'renewerContainer' | 'monitoring'>;

/** The parts that a stack with these settings has. */
export function expectedParts(wishes: Wishes): Part[] {
  const { auth, mirror, cache, renewerContainer, monitoring } = wishes;
  const wanted: Readonly<Record<Part, boolean>> = {
    nginx: true,
    gate: auth.by === 'gate',
    registry: true,
    redis: cache.kind === 'stack',
    mirror: mirror !== undefined,
    relay: mirror !== undefined,
    renewer: renewerContainer,
    exporter: monitoring !== undefined,
    prometheus: monitoring !== undefined,
  };
  return ALL.filter((part) => wanted[part]);
}

/** What is expected in that order, then what else runs. Of several containers of a part the one that is worst off counts. */
export function partStates(expected: readonly string[], present: readonly Present[]): PartState[] {
  const others = present.filter(({ part, state }) => !expected.includes(part) && state === 'running');
  const names = new Set([...expected, ...others.map(({ part }) => part).sort()]);
  return [...names].map((name) => {
    const states = present.filter(({ part }) => part === name).map(stateOf);
    return states.find(({ condition }) => condition !== 'running') ?? states[0] ?? missing(name);
  });
}

function missing(name: string): PartState {
  return { name, condition: 'missing', since: undefined, restarts: 0, exitCode: undefined };
}

function stateOf(present: Present): PartState {
  const { part: name, since, restarts } = present;
  const condition = conditionOf(present);
  return {
    name,
    condition,
    since,
    restarts,
    exitCode: condition === 'stopped' ? present.exitCode : undefined,
  };
}

function conditionOf({ state, health }: Present): Condition {
  switch (state) {
    case 'running':
      return health === undefined || health === 'healthy' ? 'running' : health;
    case 'restarting':
    case 'paused':
      return state;
    default:
      return 'stopped';
  }
}
