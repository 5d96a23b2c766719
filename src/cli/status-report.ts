import type { Outlook } from '../certificates/outlook.ts';
import { unreachable } from '../errors.ts';
import { type DiskState, returnOf, sizeInWords } from '../low-water.ts';
import { registryUrl, type Settings } from '../settings/settings.ts';
import type { AccessState } from '../users/access-state.ts';
import type { Line } from './renewal-report.ts';

interface Status {
  /** What stands in the way of the registry's answer. */
  readonly silence: string | undefined;
  readonly outlook: Pick<Outlook, 'decision'>;
  readonly access: AccessState | undefined;
  readonly disk: DiskState;
}

/** What `npm run status` shows, top to bottom. */
export function statusReport(settings: Settings, { silence, outlook, access, disk }: Status): Line[] {
  const url = registryUrl(settings);
  return [
    ['Registry', silence === undefined ? url : `${url} does not answer: ${silence}`],
    ['Certificate', outlook.decision.reason],
    ...accessLines(settings, access),
    ['Disk', diskLine(settings, disk)],
  ];
}

function diskLine({ auth }: Settings, disk: DiskState): string {
  switch (disk.kind) {
    case 'unwatched':
      return auth.by === 'registry'
        ? 'nobody keeps pushes from filling it: that is the gate’s work (AUTH=gate)'
        : 'nobody keeps pushes from filling it: DISK_RESERVE is 0';
    case 'unknown':
      return `can't be looked at: ${disk.because}`;
    case 'low':
    case 'enough': {
      const figures = `${sizeInWords(disk.free)} free of ${sizeInWords(disk.size)}`;
      const [mark, back] = [sizeInWords(disk.mark), sizeInWords(returnOf(disk.mark))];
      return disk.kind === 'enough'
        ? `${figures}; pushes are refused below ${mark}`
        : `only ${figures}: pushes are refused below ${mark}, and taken again from ${back} on`;
    }
    default:
      return unreachable(disk);
  }
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
