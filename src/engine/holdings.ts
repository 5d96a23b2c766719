import type { Labels } from './engine.ts';

/** What an engine has, of whomever, and how to take it away. */
export interface Holdings {
  /** @throws Failure `engine-unreachable` or `engine-permission` */
  look(): Promise<Held>;
  /** Stops a container as gently as its settings say, and removes it with the volumes that have no name. */
  removeContainer(id: string): Promise<void>;
  /** @returns whether it is gone; else a container is in it */
  removeNetwork(id: string): Promise<boolean>;
  /** @returns whether it is gone; else a container has it */
  removeVolume(name: string): Promise<boolean>;
  /** @returns whether the name is gone; else a container has it, or another image stands on it */
  removeImage(reference: string): Promise<boolean>;
}

export interface Held {
  readonly containers: readonly HeldContainer[];
  readonly networks: readonly { readonly id: string; readonly name: string; readonly labels: Labels }[];
  readonly volumes: readonly { readonly name: string; readonly labels: Labels }[];
  readonly images: readonly HeldImage[];
}

export interface HeldContainer {
  readonly id: string;
  readonly name: string;
  readonly running: boolean;
  /** Its own and those of its image. */
  readonly labels: Labels;
  readonly image: { readonly id: string; readonly reference: string };
  /** Paths on the engine's machine, and names of volumes. */
  readonly sources: readonly string[];
}

export interface HeldImage {
  readonly id: string;
  /** Its names. */
  readonly references: readonly string[];
  readonly labels: Labels;
  /** Layers that it shares with others included. */
  readonly bytes: number;
}
