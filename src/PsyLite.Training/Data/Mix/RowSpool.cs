namespace PsyLite.Training.Data.Mix;

/// <summary>Rows on disk while their order is still open: written once, one after another, then read in any order.</summary>
internal sealed class RowSpool : IDisposable
{
    private readonly FileStream _file;
    private readonly List<long> _ends = [];
    private long _length;

    /// <param name="folder">Where the temporary file lies; it has no name once it is open, so that nothing is left of it after a kill.</param>
    public RowSpool(string folder)
    {
        var path = Path.Combine(folder, $".spool-{Guid.NewGuid():N}");
        var options = OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None;
        _file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, 1 << 18, options);
        if (!OperatingSystem.IsWindows())
        {
            File.Delete(path);
        }
    }

    public int Count => _ends.Count;

    public void Add(ReadOnlySpan<byte> row)
    {
        _file.Write(row);
        _length += row.Length;
        _ends.Add(_length);
    }

    public byte[] Read(int row)
    {
        _file.Flush();
        var start = row == 0 ? 0 : _ends[row - 1];
        var bytes = new byte[_ends[row] - start];
        for (var read = 0; read < bytes.Length;)
        {
            var got = RandomAccess.Read(_file.SafeFileHandle, bytes.AsSpan(read), start + read);
            read += got > 0 ? got : throw new EndOfStreamException("the temporary file of the mix was cut off.");
        }

        return bytes;
    }

    public void Dispose() => _file.Dispose();
}
