// What the server answers. Made from the TypedDicts in Python by: python -m tests.web.test_shapes

export interface Description {
  messages?: Record<string, unknown>;
  id: string;
  title: string;
  recipe: string;
  dataset: string;
  status: string;
  waits: boolean;
  message: string;
  step: number;
  total_steps: number;
  created: number;
  kept: boolean;
  shown: boolean;
  config: Record<string, boolean | number | string>;
  class_names: string[];
  dataset_title: string;
  own_pictures: boolean;
  tiles: Tiles;
  shown_seed: number;
  real_count: number;
  real_labels: number[];
  verdict_is_probability: boolean;
  conditional: boolean;
  measurable: boolean;
  measured_sets: string;
  checkpoint_step: number | null;
  needs: string;
  best_step: number | null;
  states: number[];
  recorded: boolean;
  start: string;
}

export interface FollowAnswer {
  cursor: string;
  again: boolean;
  run?: Description;
  snapshot?: Moment;
  picture?: Picture;
  records?: Record<string, Record<string, (number | string | number[] | Record<string, unknown> | null)[]>>;
}

export interface Moment {
  status: string;
  message: string;
  epoch: number | null;
  images: number;
  images_per_s: number;
  seconds: number;
  seconds_left: number | null;
  place: PlaceTold | null;
  show_share: number;
  total_steps: number;
  lr: Record<string, number>;
  measure_share: number;
  measure_problem: string;
  best_step: number | null;
  verdict_fake: number[];
  verdict_real: number[];
  messages?: Record<string, unknown>;
  version: number;
  step: number;
}

export interface Picture {
  width: number;
  height: number;
  channels: number;
  difference: boolean;
  webp?: boolean;
}

export interface PlaceTold {
  before: number | null;
  seconds: number;
}

export interface Tiles {
  count: number;
  columns: number;
  size: number;
  channels: number;
}
