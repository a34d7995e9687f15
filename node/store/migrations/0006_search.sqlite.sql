-- One row for each post that can be found, by its number. Only which words stand in a post, not where: detail=none.
CREATE VIRTUAL TABLE search_words USING fts5 (words, tokenize = 'ascii', detail = none, columnsize = 0);
