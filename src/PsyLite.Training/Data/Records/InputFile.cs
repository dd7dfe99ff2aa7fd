using System.Security.Cryptography;

namespace PsyLite.Training.Data.Records;

/// <summary>What a manifest says of a file that was read.</summary>
public sealed record InputFacts(string Name, long Bytes, string Sha256);

/// <summary>
/// A file read from its beginning to its end, unpacked where it is gzip (told by its first two bytes, not by its name), hashed as it lies on disk.
/// </summary>
internal sealed class InputFile : IDisposable
{
    private readonly string _path;
    private readonly CountedStream _raw;

    private InputFile(string path, CountedStream raw, Stream content) => (_path, _raw, Content) = (path, raw, content);

    public Stream Content { get; }

    /// <param name="progress">Gets the bytes read from disk since its last call.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static InputFile Open(string path, IProgress<long>? progress = null)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan);
        Span<byte> magic = stackalloc byte[2];
        var isPacked = file.ReadAtLeast(magic, 2, throwOnEndOfStream: false) == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
        file.Position = 0;
        var raw = new CountedStream(file, progress);
        return new InputFile(path, raw, isPacked ? new WholeGzip(new BufferedStream(raw, 1 << 16)) : raw);
    }

    /// <summary>Hash and length of the whole file; reads what is left of it.</summary>
    public InputFacts Finish()
    {
        var rest = new byte[1 << 16];
        while (_raw.Read(rest, 0, rest.Length) > 0)
        {
            // A reader may have stopped before the end.
        }

        return new InputFacts(Path.GetFileName(_path), _raw.Count, Convert.ToHexStringLower(_raw.Hash.GetCurrentHash()));
    }

    public void Dispose()
    {
        Content.Dispose();
        _raw.Dispose();
    }

    private sealed class CountedStream(FileStream file, IProgress<long>? progress) : ForwardStream
    {
        public long Count { get; private set; }

        public IncrementalHash Hash { get; } = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = file.Read(buffer, offset, count);
            Hash.AppendData(buffer, offset, read);
            Count += read;
            progress?.Report(read);
            return read;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                file.Dispose();
                Hash.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
