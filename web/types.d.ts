/** What the page's modules hand one another; read by the type checker alone, never by a browser. */
type Job = {
  job_id: string;
  prompt: string;
  model_name: string;
  credits_used: number;
  status: 'pending' | 'processing' | 'completed' | 'failed';
  created_at: string;
  video_url: string | null;
  thumbnail_url: string | null;
  progress?: number | null;
  queue_position?: number | null;
  error_message?: string | null;
};

type Setting = {
  type: string;
  enum?: (string | number)[];
  minimum?: number;
  maximum?: number;
  default?: unknown;
  title?: string;
};

type Model = {
  id: string;
  name: string;
  description: string;
  requires_image: boolean;
  prompt_max: number;
  pricing: { credits: number; per_seconds: number | null };
  settings_schema: { properties?: Record<string, Setting> };
};

type Transaction = { id: string; change: number; reason: string; balance_after: number; created_at: string };

type Wish = { model_id: string; prompt: string; settings: Record<string, unknown> };

/** A wish on its way, kept until the server has said yes or no. */
type Pending = { key: string; wish: Wish; account: string | null; at: number };

type Session = { access_token: string; refresh_token: string; expires_at: number; user_id: string };

type State = {
  models: Model[];
  credits: number | null;
  jobs: Job[];
  /** Where the list of jobs goes on. */
  nextJobs: string | null;
  /** The job on the stage. */
  shownId: string | null;
  /** Nobody answers. */
  isLost: boolean;
  /** What keeps the page from starting. */
  trouble: unknown;
};
