"""Notes, or a score, to what people keep: audio, pictures, MusicXML."""
