-- One row for each post that can be found, by its number. Without a list of pending entries, which every search would read.
CREATE TABLE search_words (rowid BIGINT PRIMARY KEY, words TEXT NOT NULL);
CREATE INDEX search_words_by_word ON search_words USING gin ((CAST(words AS TSVECTOR))) WITH (fastupdate = off);
