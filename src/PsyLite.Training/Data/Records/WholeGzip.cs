using System.IO.Compression;

namespace PsyLite.Training.Data.Records;

/// <summary>
/// Unpacks gzip and refuses a file that ends in the middle, which <see cref="GZipStream"/> takes for the end of the data. A member of our own
/// is read behind the file's last one: its bytes come out at the end, and are taken off, only if everything before them was whole.
/// </summary>
internal sealed class WholeGzip : ForwardStream
{
    private static ReadOnlySpan<byte> Mark => "\0psylite: whole\0"u8;

    /// <summary>What was unpacked in the same piece as a damaged place is lost with it.</summary>
    private const int Piece = 1024;

    private readonly GZipStream _unpacked;
    private readonly byte[] _held = new byte[Piece + Mark.Length];
    private int _count;
    private int _at;
    private bool _isOver;

    public WholeGzip(Stream packed) => _unpacked = new GZipStream(new Followed(packed, Packed(Mark)), CompressionMode.Decompress);

    /// <exception cref="InvalidDataException">The file is damaged or ends in the middle.</exception>
    public override int Read(byte[] buffer, int offset, int count)
    {
        while (!_isOver && _count - _at <= Mark.Length)
        {
            Fill();
        }

        var free = Math.Min(count, _count - _at - (_isOver ? 0 : Mark.Length));
        _held.AsSpan(_at, free).CopyTo(buffer.AsSpan(offset));
        _at += free;
        return free;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _unpacked.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>Holds back as many bytes as the mark has.</summary>
    private void Fill()
    {
        _held.AsSpan(_at, _count - _at).CopyTo(_held);
        (_count, _at) = (_count - _at, 0);
        var read = _unpacked.Read(_held, _count, _held.Length - _count);
        _count += read;
        if (read > 0)
        {
            return;
        }

        _isOver = true;
        if (!_held.AsSpan(0, _count).EndsWith(Mark))
        {
            throw new InvalidDataException("the gzip ends in the middle.");
        }

        _count -= Mark.Length;
    }

    private static byte[] Packed(ReadOnlySpan<byte> bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(bytes);
        }

        return packed.ToArray();
    }

    /// <summary>A stream, and some bytes behind its end.</summary>
    private sealed class Followed(Stream first, byte[] then) : ForwardStream
    {
        private int _given;

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (_given == 0 && first.Read(buffer, offset, count) is > 0 and var read)
            {
                return read;
            }

            var more = Math.Min(count, then.Length - _given);
            then.AsSpan(_given, more).CopyTo(buffer.AsSpan(offset));
            _given += more;
            return more;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                first.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
