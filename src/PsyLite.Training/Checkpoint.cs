using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using PsyLite.Models;
using PsyLite.Training.Kernels;
using PsyLite.Training.Optim;

namespace PsyLite.Training;

/// <summary>
/// One file: magic, length and JSON of the header, all tensors, AdamW's first and second moments, the caller's position, and a
/// SHA-256 of everything before it. Written to a temporary file, read back, then renamed: a crash leaves the previous one.
/// </summary>
public static class Checkpoint
{
    private const int MaxHeaderBytes = 1 << 22;
    private const int MaxPositionBytes = 1 << 16;

    private static ReadOnlySpan<byte> Magic => "PSYCKPT1"u8;

    private sealed record TensorHeader(string Name, int Rows, int Columns);

    private sealed record Header(long Steps, int PositionBytes, TensorHeader[] Tensors);

    /// <param name="position">Whatever the caller needs to go on with its data; given back by <see cref="Load"/>.</param>
    public static void Save(string path, ParameterSet parameters, AdamW optimiser, byte[] position)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(position.Length, MaxPositionBytes);
        var header = JsonSerializer.SerializeToUtf8Bytes(new Header(optimiser.StepCount, position.Length, [.. parameters.All.Select(p => new TensorHeader(p.Name, p.Rows, p.Columns))]));
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var temporary = path + ".part";
        using (var file = File.Create(temporary))
        using (var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
        {
            void Write(ReadOnlySpan<byte> bytes)
            {
                hash.AppendData(bytes);
                file.Write(bytes);
            }

            Span<byte> length = stackalloc byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(length, header.Length);
            Write(Magic);
            Write(length);
            Write(header);
            foreach (var tensor in parameters.All)
            {
                Write(MemoryMarshal.AsBytes(tensor.Values));
            }

            foreach (var moments in (ReadOnlySpan<NativeBuffer>)[optimiser.FirstMoments, optimiser.SecondMoments])
            {
                foreach (var tensor in parameters.All)
                {
                    Write(MemoryMarshal.AsBytes(moments.Span(tensor.Offset, tensor.Count)));
                }
            }

            Write(position);
            file.Write(hash.GetHashAndReset());
            file.Flush(flushToDisk: true);
        }

        Verify(temporary);
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Restores weights, moments and step count; returns the caller's position.</summary>
    /// <exception cref="InvalidDataException">The file is missing, damaged or of another model; the message is one line.</exception>
    public static byte[] Load(string path, ParameterSet parameters, AdamW optimiser)
    {
        using var file = OpenVerified(path);
        var header = ReadHeader(file, path);
        ReadTensors(file, path, header, parameters);
        foreach (var moments in (ReadOnlySpan<NativeBuffer>)[optimiser.FirstMoments, optimiser.SecondMoments])
        {
            foreach (var tensor in parameters.All)
            {
                file.ReadExactly(MemoryMarshal.AsBytes(moments.Span(tensor.Offset, tensor.Count)));
            }
        }

        var position = new byte[header.PositionBytes];
        file.ReadExactly(position);
        optimiser.StepCount = header.Steps;
        return position;
    }

    /// <summary>Restores the weights alone.</summary>
    /// <exception cref="InvalidDataException">The file is missing, damaged or of another model; the message is one line.</exception>
    public static void LoadWeights(string path, ParameterSet parameters)
    {
        using var file = OpenVerified(path);
        ReadTensors(file, path, ReadHeader(file, path), parameters);
    }

    /// <summary>Opens a whole and undamaged file.</summary>
    /// <exception cref="InvalidDataException">The file is missing or damaged; the message is one line.</exception>
    internal static FileStream OpenVerified(string path)
    {
        Verify(path);
        return File.OpenRead(path);
    }

    /// <summary>The weights alone, the start of another stage: they are read from the file when asked for.</summary>
    /// <param name="file">An opened checkpoint at its beginning.</param>
    /// <param name="path">What messages call it.</param>
    /// <param name="shapes">The model that they are for.</param>
    /// <exception cref="InvalidDataException">The file is of another model; the message is one line.</exception>
    internal static IReadOnlyDictionary<string, TensorSource> Weights(FileStream file, string path, ParameterSet shapes) => Sources(file, path, ReadHeader(file, path), shapes);

    /// <summary>Steps of training and names and sizes of the tensors; checks the header only.</summary>
    /// <exception cref="InvalidDataException">The file is missing or damaged; the message is one line.</exception>
    public static (long Steps, IReadOnlyList<(string Name, int Rows, int Columns)> Tensors) Describe(string path)
    {
        using var file = File.OpenRead(path);
        var header = ReadHeader(file, path);
        return (header.Steps, [.. header.Tensors.Select(t => (t.Name, t.Rows, t.Columns))]);
    }

    private static Header ReadHeader(FileStream file, string path)
    {
        try
        {
            Span<byte> start = stackalloc byte[12];
            file.ReadExactly(start);
            var length = BinaryPrimitives.ReadInt32LittleEndian(start[8..]);
            if (!start[..8].SequenceEqual(Magic) || length is <= 0 or > MaxHeaderBytes)
            {
                throw new InvalidDataException($"{path} is not a training checkpoint.");
            }

            var bytes = new byte[length];
            file.ReadExactly(bytes);
            var header = JsonSerializer.Deserialize<Header>(bytes);
            return header is { Tensors: not null, PositionBytes: >= 0 and <= MaxPositionBytes, Steps: >= 0 }
                ? header
                : throw new InvalidDataException($"{path} has a checkpoint header without its parts.");
        }
        catch (Exception e) when (e is EndOfStreamException or JsonException)
        {
            throw new InvalidDataException($"{path} is cut off or damaged; use an earlier checkpoint.", e);
        }
    }

    private static void ReadTensors(FileStream file, string path, Header header, ParameterSet parameters)
    {
        foreach (var (name, source) in Sources(file, path, header, parameters))
        {
            parameters[name].Load(source);
        }
    }

    /// <summary>The tensors after the header; the file stands behind them afterwards.</summary>
    private static Dictionary<string, TensorSource> Sources(FileStream file, string path, Header header, ParameterSet parameters)
    {
        var expected = parameters.All.Select(p => new TensorHeader(p.Name, p.Rows, p.Columns));
        if (!header.Tensors.SequenceEqual(expected))
        {
            throw new InvalidDataException($"{path} belongs to a model of another shape; use the recipe that made it.");
        }

        var sources = new Dictionary<string, TensorSource>(StringComparer.Ordinal);
        var (offset, handle) = (file.Position, file.SafeFileHandle);
        foreach (var tensor in parameters.All)
        {
            var first = offset;
            sources.Add(tensor.Name, tensor.Source with { Read = (start, values) => ReadAt(handle, path, first + (start * sizeof(float)), MemoryMarshal.AsBytes(values)) });
            offset += (long)tensor.Count * sizeof(float);
        }

        file.Position = offset;
        return sources;
    }

    private static void ReadAt(SafeFileHandle file, string path, long offset, Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var read = RandomAccess.Read(file, bytes, offset);
            if (read == 0)
            {
                throw new InvalidDataException($"{path} became shorter while it was being read.");
            }

            bytes = bytes[read..];
            offset += read;
        }
    }

    private static void Verify(string path)
    {
        if (!File.Exists(path))
        {
            throw new InvalidDataException($"the checkpoint {path} does not exist; train the stage before, or leave --resume out.");
        }

        using var file = File.OpenRead(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var remaining = file.Length - SHA256.HashSizeInBytes;
        var buffer = new byte[1 << 20];
        while (remaining > 0)
        {
            var read = file.Read(buffer, 0, (int)Math.Min(buffer.Length, remaining));
            if (read == 0)
            {
                break;
            }

            hash.AppendData(buffer, 0, read);
            remaining -= read;
        }

        var stored = new byte[SHA256.HashSizeInBytes];
        if (remaining != 0 || file.ReadAtLeast(stored, stored.Length, throwOnEndOfStream: false) != stored.Length || !hash.GetHashAndReset().AsSpan().SequenceEqual(stored))
        {
            throw new InvalidDataException($"{path} is cut off or damaged (its checksum does not match); use an earlier checkpoint.");
        }
    }
}
