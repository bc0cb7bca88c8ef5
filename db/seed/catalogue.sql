-- The initial models. Existing rows do not change: an administrator may have edited them.
insert into public.models (
  name, category, description, cost_per_generation, price_credits, price_per_seconds, provider, provider_model_id,
  is_featured, is_available, requires_image, prompt_max, settings_schema
)
select
  name, category, description, cost_per_generation, price_credits, price_per_seconds, provider, provider_model_id,
  is_featured, is_available, requires_image, prompt_max,
  jsonb_build_object(
    '$schema', 'https://json-schema.org/draft/2020-12/schema', 'type', 'object', 'properties', properties::jsonb
  )
from (
  values
    (
      'Sandbox', 'sandbox', 'A real video of your prompt, rendered on this machine. Needs no vendor account; good for testing.',
      1, null::integer, null::integer, 'sandbox', 'sandbox/clip', false, true, false, 2000,
      '{"duration": {"type": "integer", "minimum": 1, "maximum": 10, "default": 5},
        "resolution": {"type": "string", "enum": ["360p", "720p", "1080p"], "default": "720p"},
        "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16", "1:1"], "default": "16:9"},
        "fps": {"type": "integer", "enum": [24, 30], "default": 24}}'
    ),
    (
      'Cinematic', 'cinematic', 'Cinematic scenes with realistic light and motion. Our highest video quality.',
      4, 1, 1, 'fal', 'fal-ai/veo3.1', true, true, false, 2000,
      '{"duration": {"type": "integer", "enum": [4, 6, 8], "default": 4},
        "resolution": {"type": "string", "enum": ["720p", "1080p"], "default": "720p"},
        "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16"], "default": "16:9"},
        "audio": {"type": "boolean", "default": false}}'
    ),
    (
      'Cinematic Fast', 'cinematic', 'The cinematic look at half the price and in less time. Good for trying out ideas.',
      2, 1, 2, 'fal', 'fal-ai/veo3.1/fast', false, true, false, 2000,
      '{"duration": {"type": "integer", "enum": [4, 6, 8], "default": 4},
        "resolution": {"type": "string", "enum": ["720p", "1080p"], "default": "720p"},
        "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16"], "default": "16:9"},
        "audio": {"type": "boolean", "default": false}}'
    ),
    (
      'Animate', 'image-to-video', 'Brings your image to life.',
      4, 1, 1, 'fal', 'fal-ai/veo3.1/image-to-video', false, true, true, 2000,
      '{"duration": {"type": "integer", "enum": [4, 6, 8], "default": 4},
        "resolution": {"type": "string", "enum": ["720p", "1080p"], "default": "720p"},
        "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16"], "default": "16:9"},
        "audio": {"type": "boolean", "default": false}}'
    ),
    (
      'Kling', 'cinematic', 'Lively motion and camera moves.',
      2, 2, 5, 'fal', 'fal-ai/kling-video/v2.5-turbo/pro/text-to-video', false, true, false, 2000,
      '{"duration": {"type": "integer", "enum": [5, 10], "default": 5},
        "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16", "1:1"], "default": "16:9"}}'
    ),
    (
      'Pika', 'creative', 'Playful, stylised clips in many aspect ratios.',
      3, 3, 5, 'pika', 'fal-ai/pika/v2.2/text-to-video', false, true, false, 2000,
      '{"duration": {"type": "integer", "enum": [5, 10], "default": 5},
        "resolution": {"type": "string", "enum": ["720p", "1080p"], "default": "720p"},
        "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16", "1:1", "4:5", "5:4", "3:2", "2:3"], "default": "16:9"}}'
    ),
    (
      'Runway Gen-4.5', 'cinematic', 'Precise control: follows your description of a shot closely.',
      2, 1, 1, 'runway', 'gen4.5', false, true, false, 1000,
      '{"duration": {"type": "integer", "minimum": 2, "maximum": 10, "default": 2},
        "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16"], "default": "16:9"}}'
    ),
    (
      'Runway Gen-4 Turbo', 'image-to-video', 'Animates your image quickly and at a low price.',
      1, 1, 2, 'runway', 'gen4_turbo', false, true, true, 1000,
      '{"duration": {"type": "integer", "minimum": 2, "maximum": 10, "default": 2},
        "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16"], "default": "16:9"}}'
    ),
    -- Retired by its vendor on 2026-09-24. Kept for the history of earlier jobs.
    (
      'Sora 2', 'cinematic', 'Retired by its vendor.',
      4, null, null, 'fal', 'fal-ai/sora-2/text-to-video', false, false, false, 2000,
      '{"duration": {"type": "integer", "enum": [4, 8, 12], "default": 4}}'
    )
) as seed (
  name, category, description, cost_per_generation, price_credits, price_per_seconds, provider, provider_model_id,
  is_featured, is_available, requires_image, prompt_max, properties
)
on conflict (provider, provider_model_id) do nothing;
