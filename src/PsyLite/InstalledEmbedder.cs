using Microsoft.Extensions.AI;
using PsyLite.Engine;
using PsyLite.ModelStore;
using PsyLite.Options;

namespace PsyLite;

/// <summary>The configured embedding model, if there is one that can be used; without it pieces are found by their words.</summary>
/// <param name="Problem">One line that says why a configured one cannot be used; null otherwise.</param>
internal sealed record InstalledEmbedder(IEmbeddingGenerator<string, Embedding<float>>? Generator, string? Problem, string? Description)
{
    /// <summary>Loads it, if one is configured; a model of this kind takes a fraction of a second.</summary>
    public static InstalledEmbedder Open(AppOptions options)
    {
        if (options.Embedder is not { } name)
        {
            return new InstalledEmbedder(null, null, null);
        }

        try
        {
            var folder = new ModelFolder(options.Models);
            var path = !File.Exists(name) && folder.Find(name) is { } pulled ? folder.PathOf(pulled.Model) : name;
            var embedder = LlamaEmbedder.Load(path, options.Threads > 0 ? options.Threads : null);
            return new InstalledEmbedder(embedder, null, $"{Path.GetFileNameWithoutExtension(path)} ({embedder.Description}, {embedder.Dimensions})");
        }
        catch (LlamaException fault)
        {
            return new InstalledEmbedder(null, fault.Message.ReplaceLineEndings(" "), null);
        }
    }
}
