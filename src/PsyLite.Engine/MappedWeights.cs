using System.Runtime.InteropServices;
using PsyLite.Engine.Native;
using PsyLite.Models.Gguf;

namespace PsyLite.Engine;

/// <summary>
/// Which pages of a mapped and repacked model file lie in memory. The system maps up to half a megabyte around each page that is touched, so
/// what stays in the mapping is fetched in whole, and what was copied out of it or is read by the row is given back.
/// </summary>
internal sealed class MappedWeights
{
    /// <summary>Every token reads a row of the embeddings, which brings in its neighbours; after so many tokens these are given back.</summary>
    private const int TokensPerDrop = 32;

    /// <summary>Types that llama.cpp v0.5.0 rearranges for x64 with AVX2; weights of other types stay as they are in the file.</summary>
    private static readonly GgmlType[] Repacked = [GgmlType.Q4_0, GgmlType.Q4_K, GgmlType.Q2_K, GgmlType.IQ4_NL];

    private readonly string path;
    private readonly List<(long Offset, long Bytes)> unused;
    private readonly List<(long Offset, long Bytes)> embeddings;
    private readonly List<(long Offset, long Bytes)> used;
    private int tokens;

    public MappedWeights(string path)
    {
        this.path = path;
        var tensors = ModelFile.Read(path, file => file.Tensors.ToList());
        List<(long, long)> Ranges(Func<GgufTensor, bool> which) => [.. tensors.Where(which).Select(t => (t.Offset, t.ByteCount))];
        bool IsEmbedding(GgufTensor tensor) => tensor.Name == "token_embd.weight";
        embeddings = Ranges(IsEmbedding);
        unused = Ranges(t => Repacked.Contains(t.Type) && !IsEmbedding(t));
        used = Ranges(t => !Repacked.Contains(t.Type) && !IsEmbedding(t));
    }

    /// <summary>Once, when the model is loaded and before a context takes memory. Which types stay is known for x64 only.</summary>
    public void Settle()
    {
        FilePages.Drop(path);
        if (RuntimeInformation.ProcessArchitecture == Architecture.X64)
        {
            FilePages.Fetch(path, used);
            FilePages.Drop(path, unused);
            FilePages.Drop(path, embeddings);
        }
    }

    /// <summary>So many tokens have been computed.</summary>
    public void Used(int count)
    {
        tokens += count;
        if (tokens >= TokensPerDrop)
        {
            FilePages.Drop(path, embeddings);
            tokens = 0;
        }
    }
}
