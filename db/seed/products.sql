-- What is for sale at first: the product ids of the App Store, and a price for the web shop. Existing rows do not change: an
-- administrator may have edited them.
insert into public.products (product_id, display_name, credits, web_price_cents)
values
  ('com.rendio.credits.10', '10 credits', 10, 299),
  ('com.rendio.credits.50', '50 credits', 50, 1199),
  ('com.rendio.credits.100', '100 credits', 100, 1999),
  ('com.rendioai.credits.starter.25', 'Starter: 25 credits', 25, 699),
  ('com.rendioai.credits.popular.60', 'Popular: 60 credits', 60, 1399),
  ('com.rendioai.credits.best.150', 'Best value: 150 credits', 150, 2899)
on conflict (product_id) do nothing;
