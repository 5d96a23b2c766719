import type { Outlook } from '../certificates/outlook.ts';
import { type DiskState, diskInWords } from '../low-water.ts';
import { mirrorAuthority } from '../settings/mirror.ts';
import { registryUrl, type Settings } from '../settings/settings.ts';
import type { MirrorState } from '../stack/mirror.ts';
import type { AccessState } from '../users/access-state.ts';
import type { Line } from './renewal-report.ts';

export interface Status {
  /** What stands in the way of the registry's answer. */
  readonly silence: string | undefined;
  readonly outlook: Pick<Outlook, 'decision'>;
  readonly access: AccessState | undefined;
  readonly disk: DiskState;
  /** Where there is one. */
  readonly mirror?: MirrorState | undefined;
}

/** What `npm run status` shows, top to bottom. */
export function statusReport(settings: Settings, { silence, outlook, access, disk, mirror }: Status): Line[] {
  const url = registryUrl(settings);
  return [
    ['Registry', silence === undefined ? url : `${url} does not answer: ${silence}`],
    ['Certificate', outlook.decision.reason],
    ...accessLines(settings, access),
    ['Disk', diskInWords(disk)],
    ...mirrorLines(settings, mirror),
  ];
}

/** The same for programs. */
export function statusAsJson(settings: Settings, { outlook, ...found }: Status): string {
  const state = { url: registryUrl(settings), certificate: outlook.decision, ...found };
  return `${JSON.stringify(state, null, 2)}\n`;
}

function accessLines({ auth }: Settings, access: AccessState | undefined): Line[] {
  if (auth.by === 'registry') return [['Access', 'passwords by the registry itself, without roles']];
  if (access === undefined) return [['Access', 'the gate has not looked at its files yet']];
  if (access.problems.length === 0) return [['Access', 'users, roles and tokens as in their files']];
  const still = access.inForce
    ? 'what was right before stays in force until this is mended:'
    : 'nobody gets in until this is mended:';
  const problems = access.problems.map(({ input, message }) => `${input}: ${message}`);
  return [['Access', [still, ...problems].join('\n')]];
}

function mirrorLines(settings: Settings, state: MirrorState | undefined): Line[] {
  const { mirror } = settings;
  if (mirror === undefined || state === undefined) return [];
  const at = mirrorAuthority(mirror, settings);
  const own = state.silence === undefined ? at : `${at} does not answer: ${state.silence}`;
  return [['Mirror', `${own}\n${mirror.upstream} ${state.upstream ?? 'answers'}`]];
}
