import type { UnitFacts } from '../../src/host/unit.ts';

/** What a unit is made from where nothing is special. */
export const PLAIN_UNIT: UnitFacts = {
  project: 'moorage',
  checkout: '/srv/moorage',
  user: 'ada',
  group: 'ada',
  engineGroup: undefined,
  node: '/usr/bin/node',
  reads: [],
  writes: [],
  hidden: [],
  environment: {},
};
