using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace PsyLite.Agent.Risk.Learned;

/// <summary>
/// The classifier's file, little-endian: magic, version of the file, version of the features, counts of features and of network columns; scales
/// of the columns and all dense parameters as float32; hashes of the features; for each feature a row of int8 weights, outputs then network
/// columns.
/// </summary>
internal static class RiskModelFile
{
    private const uint Magic = 0x4B534952;
    private const int Version = 2;
    private const int HeaderBytes = 20;
    private const int MostFeatures = 1 << 20;
    private const int MostColumns = 256;
    private const float LargestNumber = 1e6f;

    /// <summary>Reads a file; throws <see cref="InvalidDataException"/> with what to do when it is none or was made for other features.</summary>
    public static RiskModel Read(ReadOnlySpan<byte> file)
    {
        if (file.Length < HeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(file) != Magic || BinaryPrimitives.ReadInt32LittleEndian(file[4..]) != Version)
        {
            throw Refused("is not a risk model of this version");
        }

        if (BinaryPrimitives.ReadInt32LittleEndian(file[8..]) != MessageFeatures.Version)
        {
            throw Refused("was made for other features");
        }

        var (count, width) = (BinaryPrimitives.ReadInt32LittleEndian(file[12..]), BinaryPrimitives.ReadInt32LittleEndian(file[16..]));
        if (count is < 1 or > MostFeatures || width is < RiskModel.Lanes or > MostColumns || width % RiskModel.Lanes != 0
            || file.Length != HeaderBytes + (4L * FloatCount(width)) + (count * (long)(sizeof(uint) + RiskOutputs.Count + width)))
        {
            throw Refused("is cut off or damaged");
        }

        var floats = MemoryMarshal.Cast<byte, float>(file.Slice(HeaderBytes, 4 * FloatCount(width)));
        foreach (var value in floats)
        {
            if (!float.IsFinite(value) || Math.Abs(value) > LargestNumber)
            {
                throw Refused("holds numbers that mean nothing");
            }
        }

        var at = HeaderBytes + (4 * FloatCount(width));
        var features = MemoryMarshal.Cast<byte, uint>(file.Slice(at, count * sizeof(uint))).ToArray();
        if (features.Contains(0u))
        {
            throw Refused("holds a feature that cannot be");
        }

        return Model(floats, features, MemoryMarshal.Cast<byte, sbyte>(file[(at + (count * sizeof(uint)))..]), width);
    }

    /// <summary>The file of <paramref name="parameters"/>, weights rounded to 8 bits with one scale for each column.</summary>
    public static byte[] Write(RiskParameters parameters)
    {
        var (count, network) = (parameters.Features.Length, parameters.Network);
        var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        writer.Write(Magic);
        writer.Write(Version);
        writer.Write(MessageFeatures.Version);
        writer.Write(count);
        writer.Write(network.Width);
        var scales = Scales(parameters.Weights, RiskOutputs.Count);
        var rowScales = Scales(network.Rows, network.Width);
        float[][] dense = [scales, parameters.Bias, parameters.Slopes, parameters.Offsets, [network.Gain], rowScales, network.Hidden, network.HiddenBias, network.Top, network.TopBias];
        foreach (var value in dense.SelectMany(d => d))
        {
            writer.Write(value);
        }

        foreach (var feature in parameters.Features)
        {
            writer.Write(feature);
        }

        for (var row = 0; row < count; row++)
        {
            WriteRow(writer, parameters.Weights.AsSpan(row * RiskOutputs.Count, RiskOutputs.Count), scales);
            WriteRow(writer, network.Rows.AsSpan(row * network.Width, network.Width), rowScales);
        }

        writer.Flush();
        return file.ToArray();
    }

    private static int FloatCount(int width) => ((RiskOutputs.Parts + 3) * RiskOutputs.Count) + 1 + width + (width * width) + width + (RiskOutputs.Count * width) + RiskOutputs.Count;

    private static RiskModel Model(ReadOnlySpan<float> floats, uint[] features, ReadOnlySpan<sbyte> rows, int width)
    {
        var rest = new FloatReader(floats);
        var scales = rest.Take(RiskOutputs.Count);
        var bias = rest.Take(RiskOutputs.Count);
        var slopes = rest.Take(RiskOutputs.Parts * RiskOutputs.Count);
        var offsets = rest.Take(RiskOutputs.Count);
        var gain = rest.Take(1)[0];
        var rowScales = rest.Take(width);
        var layers = new HiddenLayers(width, gain, rest.Take(width * width), rest.Take(width), rest.Take(RiskOutputs.Count * width), rest.Take(RiskOutputs.Count));

        // In memory the outputs are padded to whole vectors.
        var stride = RiskModel.Lanes + width;
        var weights = new sbyte[features.Length * stride];
        for (var row = 0; row < features.Length; row++)
        {
            var source = rows.Slice(row * (RiskOutputs.Count + width), RiskOutputs.Count + width);
            source[..RiskOutputs.Count].CopyTo(weights.AsSpan(row * stride));
            source[RiskOutputs.Count..].CopyTo(weights.AsSpan((row * stride) + RiskModel.Lanes));
        }

        return new RiskModel(features, weights, new RiskScaling(scales.ToArray(), bias.ToArray(), slopes.ToArray(), offsets.ToArray(), rowScales.ToArray()), layers);
    }

    private static float[] Scales(float[] values, int columns)
    {
        var scales = new float[columns];
        Array.Fill(scales, 1e-6f);
        for (var i = 0; i < values.Length; i++)
        {
            scales[i % columns] = Math.Max(scales[i % columns], Math.Abs(values[i]));
        }

        return [.. scales.Select(s => s / sbyte.MaxValue)];
    }

    private static void WriteRow(BinaryWriter writer, ReadOnlySpan<float> row, float[] scales)
    {
        for (var i = 0; i < row.Length; i++)
        {
            writer.Write((sbyte)Math.Round(row[i] / scales[i]));
        }
    }

    private static InvalidDataException Refused(string why) => new($"The risk model {why}; make one with `psylite train risk`.");

    private ref struct FloatReader(ReadOnlySpan<float> floats)
    {
        private ReadOnlySpan<float> _rest = floats;

        public ReadOnlySpan<float> Take(int count)
        {
            var taken = _rest[..count];
            _rest = _rest[count..];
            return taken;
        }
    }
}
