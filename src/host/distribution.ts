/** What system a machine runs, by os-release(5). */
export interface Distribution {
  /** `debian`, `ubuntu`, `rocky`, … */
  readonly id: string;
  /** `12`, `24.04`, `9.4`; empty where it has none. */
  readonly version: string;
  readonly codename: string;
  /** How packages are installed on it: by apt, by dnf, or in a way that Moorage does not know. */
  readonly family: 'debian' | 'redhat' | 'other';
}

/** Those that Docker makes packages for, and their rebuilds, which take RHEL's or CentOS's. */
const REDHAT = new Set(['rhel', 'centos', 'rocky', 'almalinux', 'fedora']);

const NAMES: Readonly<Record<string, string>> = {
  debian: 'Debian',
  ubuntu: 'Ubuntu',
  rhel: 'RHEL',
  centos: 'CentOS',
  rocky: 'Rocky Linux',
  almalinux: 'AlmaLinux',
  fedora: 'Fedora',
};

/** As people write it; the id of a system that is not known here. */
export function distributionName({ id }: Pick<Distribution, 'id'>): string {
  return NAMES[id] ?? id;
}

/** @param release the variables of os-release */
export function distributionOf(release: Readonly<Record<string, string | undefined>>): Distribution {
  const id = release.ID || 'unknown';
  const debian = [id, ...(release.ID_LIKE ?? '').split(' ')].includes('debian');
  return {
    id,
    version: release.VERSION_ID ?? '',
    codename: release.VERSION_CODENAME ?? '',
    family: debian ? 'debian' : REDHAT.has(id) ? 'redhat' : 'other',
  };
}
