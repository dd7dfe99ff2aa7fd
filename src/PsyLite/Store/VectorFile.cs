using System.Buffers.Binary;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace PsyLite.Store;

/// <summary>
/// Vectors of passages on disk: 64 bytes of header, then one sign bit a dimension for every row, then every row as int8. A search reads all
/// sign codes in order (dimensions / 8 bytes a row, the floor of its cost: 48 MB for a million rows of 384), keeps the rows whose signs
/// differ least, and weighs those by their int8 values. Safe to share.
/// </summary>
internal sealed class VectorFile : IDisposable
{
    public const int HeaderLength = 64;

    /// <summary>"PLVEC001" as little-endian bytes.</summary>
    public const ulong Magic = 0x3130304345564C50;
    private const int MostDimensions = 8192;
    private const int Rescored = 256;
    private const int BlockLength = 1 << 20;
    private readonly SafeFileHandle _file;
    private readonly long _rows;
    private readonly int _dimensions;
    private readonly int _words;

    public int Dimensions => _dimensions;

    public VectorFile(string path, long rows)
    {
        _file = File.OpenHandle(path);
        try
        {
            Span<byte> header = stackalloc byte[HeaderLength];
            var read = RandomAccess.Read(_file, header, 0);
            _dimensions = BinaryPrimitives.ReadInt32LittleEndian(header[8..]);
            _rows = BinaryPrimitives.ReadInt64LittleEndian(header[16..]);
            var isWhole = read == HeaderLength && BinaryPrimitives.ReadUInt64LittleEndian(header) == Magic && _dimensions is > 0 and <= MostDimensions && _rows == rows
                && RandomAccess.GetLength(_file) == HeaderLength + (_rows * (WordsOf(_dimensions) * 8L)) + (_rows * _dimensions);
            if (!isWhole)
            {
                throw new InvalidDataException("the vectors do not belong to the index; import the pieces again: psylite crosstalk import FILE");
            }

            _words = WordsOf(_dimensions);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <summary>64-bit words that hold a row's signs.</summary>
    public static int WordsOf(int dimensions) => (dimensions + 63) / 64;

    public static void Signs(ReadOnlySpan<float> vector, Span<ulong> signs)
    {
        signs.Clear();
        for (var i = 0; i < vector.Length; i++)
        {
            if (vector[i] > 0)
            {
                signs[i / 64] |= 1UL << (i % 64);
            }
        }
    }

    public void Dispose() => _file.Dispose();

    /// <summary>The rows nearest to the vector by cosine, best first.</summary>
    public IReadOnlyList<(long Row, double Score)> Nearest(ReadOnlySpan<float> vector, int most, CancellationToken cancellationToken)
    {
        if (vector.Length != _dimensions)
        {
            throw new InvalidDataException($"the embedding generator gives {vector.Length} numbers and the index holds {_dimensions}; import the pieces again.");
        }

        var rows = ClosestSigns(vector, Math.Max(Rescored, most), cancellationToken);
        var bytes = new sbyte[_dimensions];
        var values = new float[_dimensions];
        var found = new List<(long Row, double Score)>(rows.Count);
        var start = HeaderLength + (_rows * _words * 8L);
        foreach (var row in rows)
        {
            Fill(MemoryMarshal.AsBytes(bytes.AsSpan()), start + (row * _dimensions));
            TensorPrimitives.ConvertTruncating<sbyte, float>(bytes, values);
            var norm = TensorPrimitives.Norm(values);
            found.Add((row, norm == 0 ? 0 : TensorPrimitives.Dot(vector, values) / norm));
        }

        return [.. found.OrderByDescending(f => f.Score).ThenBy(f => f.Row).Take(most)];
    }

    private void Fill(Span<byte> bytes, long offset)
    {
        if (RandomAccess.Read(_file, bytes, offset) != bytes.Length)
        {
            throw new InvalidDataException("the file of vectors was cut short; import the pieces again.");
        }
    }

    private List<long> ClosestSigns(ReadOnlySpan<float> vector, int most, CancellationToken cancellationToken)
    {
        var query = new ulong[_words];
        Signs(vector, query);
        var rowsInBlock = Math.Max(1, BlockLength / (_words * 8));
        var block = new ulong[rowsInBlock * _words];
        var best = new PriorityQueue<long, int>();
        var worst = int.MaxValue;
        for (long first = 0; first < _rows; first += rowsInBlock)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = (int)Math.Min(rowsInBlock, _rows - first);
            var codes = block.AsSpan(0, count * _words);
            Fill(MemoryMarshal.AsBytes(codes), HeaderLength + (first * _words * 8L));
            for (var row = 0; row < count; row++)
            {
                var differing = 0;
                var code = codes.Slice(row * _words, _words);
                for (var word = 0; word < code.Length; word++)
                {
                    differing += BitOperations.PopCount(code[word] ^ query[word]);
                }

                if (differing >= worst)
                {
                    continue;
                }

                if (best.Count == most)
                {
                    best.Dequeue();
                }

                // The queue gives its smallest first; what differs most has to leave first.
                best.Enqueue(first + row, -differing);
                worst = best.Count == most && best.TryPeek(out _, out var last) ? -last : int.MaxValue;
            }
        }

        return [.. best.UnorderedItems.Select(i => i.Element).Order()];
    }
}

/// <summary>Writes a <see cref="VectorFile"/>: the codes as they come, the int8 rows into a second file that is appended at the end.</summary>
internal sealed class VectorFileWriter : IDisposable
{
    private readonly FileStream _file;
    private readonly FileStream _values;
    private readonly int _dimensions;
    private readonly ulong[] _signs;
    private readonly sbyte[] _row;
    private long _rows;
    private bool _isFinished;

    public VectorFileWriter(string path, int dimensions)
    {
        _dimensions = dimensions;
        _signs = new ulong[VectorFile.WordsOf(dimensions)];
        _row = new sbyte[dimensions];
        _file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
        _file.Write(new byte[VectorFile.HeaderLength]);
        _values = new FileStream(path + ".values", FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose);
    }

    public void Add(ReadOnlySpan<float> vector)
    {
        if (vector.Length != _dimensions)
        {
            throw new InvalidDataException($"a vector of {vector.Length} numbers came where {_dimensions} were expected.");
        }

        VectorFile.Signs(vector, _signs);
        _file.Write(MemoryMarshal.AsBytes(_signs.AsSpan()));
        var most = TensorPrimitives.MaxMagnitude(vector);
        var scale = most is 0 or float.NaN ? 0 : 127 / MathF.Abs(most);
        for (var i = 0; i < _row.Length; i++)
        {
            _row[i] = (sbyte)MathF.Round(vector[i] * scale);
        }

        _values.Write(MemoryMarshal.AsBytes(_row.AsSpan()));
        _rows++;
    }

    /// <summary>Writes what is left; the file is whole afterwards.</summary>
    public void Dispose()
    {
        if (_isFinished)
        {
            return;
        }

        _isFinished = true;
        _values.Position = 0;
        _values.CopyTo(_file);
        _values.Dispose();
        Span<byte> header = stackalloc byte[VectorFile.HeaderLength];
        header.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(header, VectorFile.Magic);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], _dimensions);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], _rows);
        _file.Position = 0;
        _file.Write(header);
        _file.Dispose();
    }
}
