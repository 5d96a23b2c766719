/** Where images are, and where they go: absolute paths of distribution's root directories. */
export interface Places {
  readonly from: string;
  readonly to: string;
}
