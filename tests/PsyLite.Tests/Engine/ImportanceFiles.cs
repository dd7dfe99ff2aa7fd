using System.Text;
using PsyLite.Models;
using PsyLite.Models.Gguf;

namespace PsyLite.Tests.Engine;

/// <summary>Importance matrices as llama-imatrix writes them, in both of its formats.</summary>
internal static class ImportanceFiles
{
    public static void Write(string path, bool isGguf, IReadOnlyDictionary<string, float[]> means)
    {
        if (isGguf)
        {
            var writer = new GgufWriter().Set("general.type", "imatrix").Set("imatrix.datasets", new[] { "text.txt" }).Set("imatrix.chunk_count", 3u).Set("imatrix.chunk_size", 512u);
            foreach (var (name, values) in means)
            {
                writer.Add(name + ".in_sum2", GgmlType.F32, TensorSource.From(values.Select(v => v * 8).ToArray(), 1, values.Length));
                writer.Add(name + ".counts", GgmlType.F32, TensorSource.From(new[] { 8f }, 1, 1));
            }

            writer.Write(path);
            return;
        }

        using var file = new BinaryWriter(File.Create(path));
        file.Write(means.Count);
        foreach (var (name, values) in means)
        {
            file.Write(Encoding.UTF8.GetByteCount(name));
            file.Write(Encoding.UTF8.GetBytes(name));
            file.Write(4);
            file.Write(values.Length);
            foreach (var value in values)
            {
                file.Write(value * 4);
            }
        }

        file.Write(3);
        file.Write("text.txt".Length);
        file.Write(Encoding.UTF8.GetBytes("text.txt"));
    }
}
