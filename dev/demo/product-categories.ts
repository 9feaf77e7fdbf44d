export const productCategories = `
  CREATE TABLE IF NOT EXISTS product_categories (
    category_id bigint PRIMARY KEY,
    parent_category_id bigint,
    category_name text NOT NULL,
    description text,
    commission_rate numeric(6,4),
    is_active boolean NOT NULL,
    updated_at timestamptz NOT NULL
  )`;

export const dimProductCategories = `
  CREATE TABLE IF NOT EXISTS dim_product_categories (
    category_id bigint PRIMARY KEY,
    category_name text,
    description text,
    parent_category_id bigint,
    root_category_id bigint,
    category_path text,
    category_level int,
    commission_rate numeric(6,4),
    is_active boolean,
    updated_at timestamptz
  )`;

/**
 * Creates a taxonomy of $1 categories: 20 departments with 12 children per category, level by level. The texts contain what breaks naive
 * exports: NULL and '', quotes, commas, both kinds of line breaks, backslashes, trailing spaces, emoji. From 1,000 rows on, some data is
 * invalid, as in practice: missing parents, a category that is its own parent, and two that are each other's parents.
 */
export const fillProductCategories = `
  WITH words AS (
    SELECT
      ARRAY['Electronics', 'Home & Kitchen', 'Fashion', 'Books', 'Toys', 'Sports', 'Garden', 'Beauty', 'Grocery', 'Automotive', 'Health',
            'Office', 'Pets', 'Music', 'Films', 'Baby', 'Tools', 'Jewellery', 'Travel', 'Art'] AS departments,
      ARRAY['Audio', 'Headphones', 'Cables', 'Lighting', 'Storage', 'Outdoor', 'Accessories', 'Refurbished', 'Bestsellers', 'Gifts', 'Sets',
            'Spare Parts', 'Cases', 'Seasonal', 'Premium', 'Basics', 'Kids', 'Travel Size', 'Limited Edition', 'Organic', 'Vintage',
            'Handmade', 'Wireless'] AS ranges
  )
  INSERT INTO product_categories
  SELECT
    i,
    CASE
      WHEN $1 >= 1000 AND i = 30 THEN 30
      WHEN $1 >= 1000 AND i = 24 THEN 300
      WHEN $1 >= 1000 AND i % 4999 = 500 THEN 1000000000000 + i
      WHEN i > 20 THEN (i - 21) / 12 + 1
    END,
    CASE
      WHEN i <= 20 THEN departments[i]
      WHEN i % 97 = 0 THEN '27" Screens & "Curved" ' || i
      WHEN i % 101 = 0 THEN E'Two\\nLines ' || i
      WHEN i % 103 = 0 THEN 'Party 🎉👩‍👩‍👧 ' || i
      WHEN i % 107 = 0 THEN 'Men''s, Women''s; Kids'' ' || i
      WHEN i % 109 = 0 THEN '  Padded ' || i || '  '
      WHEN i % 113 = 0 THEN E'C:\\\\Drive\\\\' || i
      WHEN i % 127 = 0 THEN E'DOS\\r\\nLines ' || i
      WHEN i % 131 = 0 THEN ''
      ELSE ranges[i % 23 + 1] || ' ' || i
    END,
    CASE i % 9
      WHEN 0 THEN NULL
      WHEN 1 THEN ''
      WHEN 2 THEN E'First line,\\n"second" line\\r\\n\\tthird\\\\'
      WHEN 3 THEN 'Größe, прочее, 価格, 😀'
      WHEN 4 THEN '"quoted"'
      WHEN 5 THEN ' '
      WHEN 6 THEN 'NULL'
      ELSE 'Everything in range ' || i || ', from all makers.'
    END,
    CASE WHEN i % 11 <> 0 THEN (i * 37 % 2500)::numeric / 10000 END,
    i % 13 <> 0,
    timestamptz '2023-12-31 23:59:59.999999+00' - make_interval(secs => i % 1000000) - (i * 7919 % 1000000) * interval '1 microsecond'
  FROM words, generate_series(1::bigint, $1) AS i`;

/**
 * The expected rows of dim_product_categories, computed from product_categories without Sluice or Spark: roots have level 1; a category
 * with a missing parent is a root; a cycle is broken at its smallest id, which becomes a root.
 */
export const expectedDimension = `
  WITH RECURSIVE
  link AS (
    SELECT child.category_id AS id, parent.category_id AS parent
    FROM product_categories AS child LEFT JOIN product_categories AS parent ON parent.category_id = child.parent_category_id
  ),
  walk (start, at, seen) AS (
    SELECT id, parent, ARRAY[id] FROM link WHERE parent IS NOT NULL
    UNION ALL
    SELECT walk.start, link.parent, walk.seen || walk.at
    FROM walk JOIN link ON link.id = walk.at
    WHERE link.parent IS NOT NULL AND walk.at <> ALL (walk.seen)
  ),
  cut AS (SELECT start AS id FROM walk WHERE at = start AND start = (SELECT min(member) FROM unnest(seen) AS member)),
  placed (id, root, path, level) AS (
    SELECT category_id, category_id, category_name, 1
    FROM product_categories
    WHERE category_id IN (SELECT id FROM link WHERE parent IS NULL UNION ALL SELECT id FROM cut)
    UNION ALL
    SELECT child.category_id, placed.root, placed.path || ' > ' || child.category_name, placed.level + 1
    FROM placed JOIN product_categories AS child ON child.parent_category_id = placed.id
    WHERE child.category_id NOT IN (SELECT id FROM cut)
  )
  SELECT
    category_id, category_name, description, parent_category_id,
    root AS root_category_id, path AS category_path, level AS category_level,
    commission_rate, is_active, updated_at
  FROM product_categories JOIN placed ON placed.id = category_id
  ORDER BY category_id`;
