"""A DICOM node: `edgeseg node` alone imports this room, since it needs the extra `node`.

- `server` runs everything until it is told to stop;
- `receive` answers C-ECHO and C-STORE behind the bounds of `bounded`, `watch` takes files from a folder; both hand
  what came to `inbox`, which has it looked at in another process (`identify`);
- `queue` is what the node knows, one SQLite file; `place` is where files lie;
- `work` makes results of complete studies, in other processes (`inside`); `send` takes them to the destinations;
- `tidy` closes studies that are silent and deletes what is no longer needed;
- `health` is for machines that look after it, `count` holds what they read.
"""
