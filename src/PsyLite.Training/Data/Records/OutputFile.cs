using System.IO.Compression;
using System.Security.Cryptography;

namespace PsyLite.Training.Data.Records;

/// <summary>What a manifest says of a file that was written.</summary>
public sealed record OutputFacts(string Name, long Rows, long Bytes, string Sha256);

/// <summary>
/// Lines written under a temporary name (<c>.part</c>), read back and compared, then renamed: under its own name a file is whole or not there.
/// Packed as gzip when the name ends with <c>.gz</c>; the same lines give the same bytes.
/// </summary>
public sealed class OutputFile : IDisposable
{
    private readonly string _path;
    private readonly FileStream _file;
    private readonly Stream _content;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private bool _isDone;

    private OutputFile(string path)
    {
        _path = path;
        _file = new FileStream(PartOf(path), FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16);
        _content = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(_file, CompressionLevel.Optimal, leaveOpen: true) : _file;
    }

    public long Rows { get; private set; }

    /// <summary>Makes the folder where it is missing.</summary>
    public static OutputFile Create(string path)
    {
        path = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return new OutputFile(path);
    }

    public void WriteLine(ReadOnlySpan<byte> line)
    {
        Put(line);
        Put("\n"u8);
        Rows++;
    }

    /// <summary>Makes the file appear under its name.</summary>
    /// <exception cref="IOException">The disk does not give back what was written.</exception>
    public OutputFacts Commit()
    {
        if (_content != _file)
        {
            _content.Dispose();
        }

        _file.Flush(flushToDisk: true);
        var written = Convert.ToHexStringLower(_hash.GetCurrentHash());
        _file.Position = 0;
        using (var content = _content == _file ? null : new GZipStream(_file, CompressionMode.Decompress, leaveOpen: true))
        {
            if (Convert.ToHexStringLower(SHA256.HashData(content ?? (Stream)_file)) != written)
            {
                throw new IOException($"{_path}: the disk does not give back what was written; nothing was put in its place.");
            }
        }

        _file.Position = 0;
        var facts = new OutputFacts(Path.GetFileName(_path), Rows, _file.Length, Convert.ToHexStringLower(SHA256.HashData(_file)));
        _file.Dispose();
        File.Move(PartOf(_path), _path, overwrite: true);
        _isDone = true;
        return facts;
    }

    /// <summary>Without a commit the file is thrown away.</summary>
    public void Dispose()
    {
        if (_content != _file && !_isDone)
        {
            _content.Dispose();
        }

        _file.Dispose();
        _hash.Dispose();
        if (!_isDone)
        {
            File.Delete(PartOf(_path));
        }
    }

    private static string PartOf(string path) => path + ".part";

    private void Put(ReadOnlySpan<byte> bytes)
    {
        _hash.AppendData(bytes);
        _content.Write(bytes);
    }
}
