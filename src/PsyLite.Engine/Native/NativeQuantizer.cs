using System.Runtime.InteropServices;
using System.Text;
using PsyLite.Models.Gguf;

namespace PsyLite.Engine.Native;

/// <summary>llama.cpp's quantisation: of a file, and of rows in memory.</summary>
internal static class NativeQuantizer
{
    /// <summary>0 when the target was written.</summary>
    public static unsafe uint Run(string source, string target, QuantizedType type, QuantizeOptions options)
    {
        var parameters = LlamaNative.DefaultQuantizeParams();
        parameters.FileType = type;
        parameters.Threads = options.Threads ?? ProcessorCores.Count;
        parameters.AllowRequantize = options.AllowRequantize ? (byte)1 : (byte)0;
        parameters.Pure = options.Pure ? (byte)1 : (byte)0;
        if (options.Importance is not { } importance)
        {
            return LlamaNative.Quantize(source, target, &parameters);
        }

        using var held = new HeldImportance(importance);
        fixed (ImportanceData* data = held.Entries)
        fixed (KeyValueOverride* overrides = held.Overrides)
        {
            parameters.ImportanceMatrix = (nint)data;
            parameters.KeyValueOverrides = (nint)overrides;
            return LlamaNative.Quantize(source, target, &parameters);
        }
    }

    /// <summary>Stores rows of floats in another type; returns the bytes written, as many as the type asks for.</summary>
    public static unsafe long Store(GgmlType type, ReadOnlySpan<float> values, int columns, Span<byte> target)
    {
        fixed (float* from = values)
        fixed (byte* to = target)
        {
            return (long)LlamaNative.QuantizeChunk((uint)type, from, to, 0, values.Length / columns, columns, null);
        }
    }

    /// <summary>An importance matrix at addresses that hold, and what llama-quantize notes of it in the file.</summary>
    private sealed unsafe class HeldImportance : IDisposable
    {
        private readonly List<GCHandle> pinned = [];
        private readonly List<nint> names = [];

        public HeldImportance(ImportanceMatrix matrix)
        {
            Entries = new ImportanceData[matrix.Entries.Count + 1];
            foreach (var (index, (name, values)) in matrix.Entries.Index())
            {
                pinned.Add(GCHandle.Alloc(values, GCHandleType.Pinned));
                names.Add(Marshal.StringToCoTaskMemUTF8(name));
                Entries[index] = new ImportanceData { Name = (byte*)names[^1], Values = (float*)pinned[^1].AddrOfPinnedObject(), Count = (nuint)values.Length };
            }

            var overrides = new List<KeyValueOverride> { Text("quantize.imatrix.file", matrix.FilePath) };
            if (matrix.Dataset is { } dataset)
            {
                overrides.Add(Text("quantize.imatrix.dataset", dataset));
            }

            overrides.Add(Number("quantize.imatrix.entries_count", matrix.Entries.Count));
            if (matrix.Chunks > 0)
            {
                overrides.Add(Number("quantize.imatrix.chunks_count", matrix.Chunks));
            }

            Overrides = [.. overrides, default];
        }

        /// <summary>Ends with a null name.</summary>
        public ImportanceData[] Entries { get; }

        /// <summary>Ends with an empty key.</summary>
        public KeyValueOverride[] Overrides { get; }

        public void Dispose()
        {
            pinned.ForEach(p => p.Free());
            names.ForEach(Marshal.FreeCoTaskMem);
        }

        private static KeyValueOverride Text(string key, string value)
        {
            var entry = new KeyValueOverride { Kind = KeyValueOverride.TextKind };
            Copy(key, new Span<byte>(entry.Key, KeyValueOverride.TextBytes));
            Copy(value, new Span<byte>(entry.Value, KeyValueOverride.TextBytes));
            return entry;
        }

        private static KeyValueOverride Number(string key, long value)
        {
            var entry = new KeyValueOverride { Kind = KeyValueOverride.IntegerKind };
            Copy(key, new Span<byte>(entry.Key, KeyValueOverride.TextBytes));
            *(long*)entry.Value = value;
            return entry;
        }

        /// <summary>As strncpy does: cut off to leave room for the NUL.</summary>
        private static void Copy(string text, Span<byte> target)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            bytes.AsSpan(0, Math.Min(bytes.Length, target.Length - 1)).CopyTo(target);
        }
    }
}
