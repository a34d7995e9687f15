-- Pictures that are on no post yet: counted for whoever added them, and forgotten after a day.
CREATE INDEX media_loose ON media (owner_id, created_at) WHERE post_id IS NULL;
