-- Replaces these texts, in any case of their letters, in all strings of a JSON value. Never in its text form: a text that a device
-- chose might match the JSON itself.
create or replace function public.redact(p_value jsonb, p_texts text[]) returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_text text;
  v_result text;
begin
  case jsonb_typeof(p_value)
    when 'string' then
      v_result := p_value #>> '{}';
      foreach v_text in array p_texts loop
        v_result := regexp_replace(v_result, regexp_replace(v_text, '([^[:alnum:]])', '\\\1', 'g'), '[deleted]', 'gi');
      end loop;
      return to_jsonb(v_result);
    when 'array' then
      return (
        select coalesce(jsonb_agg(public.redact(item, p_texts) order by place), '[]')
        from jsonb_array_elements(p_value) with ordinality as t (item, place)
      );
    when 'object' then
      return (select coalesce(jsonb_object_agg(key, public.redact(value, p_texts)), '{}') from jsonb_each(p_value));
    else
      return p_value;
  end case;
end
$$;
