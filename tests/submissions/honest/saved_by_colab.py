"""Saved by Colab: its own metadata, ids in another place, outputs as Colab writes them."""
# Earns: 10

# File:
notebook["nbformat_minor"] = 0
notebook["metadata"] = {
    "colab": {"provenance": [], "toc_visible": True, "name": "ps1.ipynb"},
    "kernelspec": {"name": "python3", "display_name": "Python 3"},
    "language_info": {"name": "python"}, "accelerator": "GPU", "gpuClass": "standard",
}
for cell in notebook["cells"]:
    cell["metadata"]["id"] = cell.pop("id")
    cell["source"] = cell["source"].splitlines(keepends=True)
    if cell["cell_type"] == "code":
        cell["metadata"] |= {"colab": {"base_uri": "https://localhost:8080/", "height": 35},
                             "outputId": "d5c1b7f0-8e66-4c46-ae4c-1c1d1b1f8f55"}
        cell["execution_count"] = 7
        cell["outputs"] = [{"output_type": "execute_result", "execution_count": 7,
                            "metadata": {}, "data": {"text/html": ["<div>..."],
                            "application/vnd.google.colaboratory.intrinsic+json":
                                {"type": "string"}, "text/plain": ["'...'"]}}]
